use mcp_core::prelude::*;

#[resource(mime = "json")]
fn weather() -> String {
    String::new()
}

fn main() {}
