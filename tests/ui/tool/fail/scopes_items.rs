use mcp_core::prelude::*;

#[tool(scopes(read, write))]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
