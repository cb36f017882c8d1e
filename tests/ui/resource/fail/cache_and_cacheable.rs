use mcp_core::prelude::*;

#[resource(cacheable, cache)]
fn weather() -> String {
    String::new()
}

fn main() {}
