use mcp_core::prelude::*;

#[tool(invalidates(resource(sums)))]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
