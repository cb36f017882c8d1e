use mcp_core::prelude::*;

#[schema]
struct Search {
    query: String,
}

#[tool(cache(skip(query)))]
fn find(Args(search): Args<Search>) -> String {
    search.query
}

fn main() {}
