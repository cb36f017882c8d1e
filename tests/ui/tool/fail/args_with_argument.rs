use mcp_core::prelude::*;

#[schema]
struct Search {
    query: String,
}

#[tool]
fn find(Args(search): Args<Search>, limit: u32) -> String {
    let _ = limit;
    search.query
}

fn main() {}
