use mcp_core::prelude::*;

#[tool(read_only slow = "1s")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
