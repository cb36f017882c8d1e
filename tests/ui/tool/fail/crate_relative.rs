use mcp_core::prelude::*;

#[tool(crate = mcp_core)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
