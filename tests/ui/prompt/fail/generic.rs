use mcp_core::prelude::*;

#[prompt]
fn greet<const N: usize>() -> String {
    N.to_string()
}

fn main() {}
