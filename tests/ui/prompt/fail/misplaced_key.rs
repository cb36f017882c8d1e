use mcp_core::prelude::*;

#[prompt(invalidates(tag("a")))]
fn greet(name: String) -> String {
    name
}

fn main() {}
