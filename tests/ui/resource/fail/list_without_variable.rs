use mcp_core::prelude::*;

fn all() -> Vec<Listed> {
    Vec::new()
}

#[resource(uri = "weather://here", list = all)]
fn weather() -> String {
    String::new()
}

fn main() {}
