use mcp_core::prelude::*;

#[tool(cache(key(identifier)))]
fn find(id: u64, verbose: bool) -> u64 {
    let _ = verbose;
    id
}

fn main() {}
