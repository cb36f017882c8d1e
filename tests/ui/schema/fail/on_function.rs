use mcp_core::prelude::*;

#[schema]
fn words() -> String {
    String::new()
}

fn main() {}
