use mcp_core::prelude::*;

#[tool]
struct Add {
    a: i64,
}

fn main() {}
