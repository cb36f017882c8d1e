use mcp_core::prelude::*;

#[tool(cache(skip(verbos)))]
fn find(id: u64, verbose: bool) -> u64 {
    let _ = verbose;
    id
}

fn main() {}
