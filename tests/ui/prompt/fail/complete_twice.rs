use mcp_core::prelude::*;

fn names(typed: String) -> Vec<String> {
    vec![typed]
}

#[prompt(complete(name = names, name = names))]
fn greet(name: String) -> String {
    name
}

fn main() {}
