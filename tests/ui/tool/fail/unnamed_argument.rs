use mcp_core::prelude::*;

#[tool]
fn add(_: i64) -> i64 {
    1
}

fn main() {}
