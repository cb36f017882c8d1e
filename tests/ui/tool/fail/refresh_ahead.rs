use mcp_core::prelude::*;

#[tool(cache(refresh_ahead = 1.5))]
fn add(a: i64) -> i64 {
    a
}

fn main() {}
