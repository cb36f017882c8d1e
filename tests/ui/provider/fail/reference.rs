use mcp_core::prelude::*;

#[provider]
fn words() -> &'static str {
    "words"
}

fn main() {}
