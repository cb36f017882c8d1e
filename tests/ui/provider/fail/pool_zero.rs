use mcp_core::prelude::*;

#[provider(pool = 0)]
fn words() -> String {
    String::new()
}

fn main() {}
