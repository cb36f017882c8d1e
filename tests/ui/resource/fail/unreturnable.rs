use mcp_core::prelude::*;

#[resource]
fn weather() -> u8 {
    7
}

fn main() {}
