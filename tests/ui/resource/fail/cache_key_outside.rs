use mcp_core::prelude::*;

#[resource(cacheable, ttl = "300s")]
fn weather() -> String {
    String::new()
}

fn main() {}
