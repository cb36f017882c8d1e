use mcp_core::prelude::*;

#[prompt]
fn greet(age: u8) -> u8 {
    age
}

fn main() {}
