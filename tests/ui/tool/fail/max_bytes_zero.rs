use mcp_core::prelude::*;

#[tool(cache(max_bytes = "0B"))]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
