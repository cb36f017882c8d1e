use mcp_core::prelude::*;

#[tool(cache(tags("user:{id")))]
fn find(id: u64) -> u64 {
    id
}

fn main() {}
