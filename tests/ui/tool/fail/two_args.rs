use mcp_core::prelude::*;

#[schema]
struct Search {
    query: String,
}

#[tool]
fn find(Args(a): Args<Search>, Args(b): Args<Search>) -> String {
    a.query + &b.query
}

fn main() {}
