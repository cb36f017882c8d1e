use mcp_core::prelude::*;

#[prompt(complete(name))]
fn greet(name: String) -> String {
    name
}

fn main() {}
