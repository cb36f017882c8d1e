use mcp_core::prelude::*;

struct Place;

impl Place {
    #[resource]
    fn weather(&self) -> String {
        String::new()
    }
}

fn main() {}
