use mcp_core::prelude::*;

#[prompt]
fn greet(name: String) -> String {
    name
}

#[tool(invalidates(tool(greet)))]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
