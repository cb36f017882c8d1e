use mcp_core::prelude::*;

#[tool(slow = "1s", slow = "2s")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
