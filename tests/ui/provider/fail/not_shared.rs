use mcp_core::prelude::*;

#[provider]
fn words() -> std::cell::Cell<u8> {
    std::cell::Cell::new(1)
}

fn main() {}
