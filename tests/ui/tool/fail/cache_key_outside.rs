use mcp_core::prelude::*;

#[tool(cache, ttl = "300s")]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
