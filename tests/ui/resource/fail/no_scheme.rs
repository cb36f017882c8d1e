use mcp_core::prelude::*;

#[resource(uri = "/weather")]
fn weather() -> String {
    String::new()
}

fn main() {}
