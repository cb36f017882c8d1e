use mcp_core::prelude::*;

#[tool]
fn find(words: Dep) -> String {
    words.clone()
}

fn main() {}
