use mcp_core::prelude::*;

#[tool]
fn add(a: i64, #[serde(default)] ctx: Ctx) -> i64 {
    let _ = ctx;
    a
}

fn main() {}
