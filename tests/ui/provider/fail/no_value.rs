use mcp_core::prelude::*;

#[provider]
fn words() {}

fn main() {}
