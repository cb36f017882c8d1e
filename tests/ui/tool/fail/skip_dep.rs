use mcp_core::prelude::*;

#[tool(cache(skip(words)))]
fn find(id: u64, words: Dep<String>) -> u64 {
    let _ = words;
    id
}

fn main() {}
