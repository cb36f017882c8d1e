use mcp_core::prelude::*;

#[tool]
fn first<'a>(text: &'a str) -> &'a str {
    text
}

fn main() {}
