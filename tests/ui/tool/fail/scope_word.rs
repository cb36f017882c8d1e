use mcp_core::prelude::*;

#[tool(cache(scope = "pubic"))]
fn add(a: i64) -> i64 {
    a
}

fn main() {}
