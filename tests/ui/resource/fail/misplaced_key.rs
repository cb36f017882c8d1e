use mcp_core::prelude::*;

#[resource(read_only)]
fn weather() -> String {
    String::new()
}

fn main() {}
