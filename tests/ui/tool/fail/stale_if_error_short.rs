use mcp_core::prelude::*;

#[tool(cache(ttl = "300s", stale_if_error = "1m"))]
fn add(a: i64) -> i64 {
    a
}

fn main() {}
