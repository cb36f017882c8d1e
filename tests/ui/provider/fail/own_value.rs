use mcp_core::prelude::*;

#[provider]
fn words(other: Dep<Vec<String>>) -> Vec<String> {
    other.clone()
}

fn main() {}
