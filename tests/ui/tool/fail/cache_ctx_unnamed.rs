use mcp_core::prelude::*;

#[tool(cache(ttl = "1h"))]
fn add(a: i64, _: Ctx) -> i64 {
    a
}

fn main() {}
