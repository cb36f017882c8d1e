use mcp_core::prelude::*;

#[tool(cache)]
fn add(a: i64, ctx: Ctx) -> i64 {
    let _ = ctx;
    a
}

fn main() {}
