use mcp_core::prelude::*;

#[provider(name = "words")]
fn words() -> String {
    String::new()
}

fn main() {}
