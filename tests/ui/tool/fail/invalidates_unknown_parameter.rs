use mcp_core::prelude::*;

#[tool(invalidates(resource("sum://{c}")))]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {}
