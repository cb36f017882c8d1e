use mcp_core::prelude::*;

#[tool(slow = "99999999999999999999d")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
