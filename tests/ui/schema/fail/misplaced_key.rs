use mcp_core::prelude::*;

#[schema(title = "Words")]
struct Words {
    all: Vec<String>,
}

fn main() {}
