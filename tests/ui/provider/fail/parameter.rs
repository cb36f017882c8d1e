use mcp_core::prelude::*;

#[provider]
fn words(count: u32) -> Vec<u32> {
    vec![count]
}

fn main() {}
