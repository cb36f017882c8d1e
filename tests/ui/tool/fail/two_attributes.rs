use mcp_core::prelude::*;

#[tool]
#[prompt]
fn greet(name: String) -> String {
    name
}

fn main() {}
