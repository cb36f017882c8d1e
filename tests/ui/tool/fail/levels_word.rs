use mcp_core::prelude::*;

#[tool(cache(levels = "redis"))]
fn find(id: u64) -> u64 {
    id
}

fn main() {}
