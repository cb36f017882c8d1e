use mcp_core::prelude::*;

#[provider]
fn words(other: Dep<Vec<String>>) -> Vec<String> {
    other.to_vec()
}

fn main() {}
