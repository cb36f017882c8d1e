use mcp_core::prelude::*;

#[tool]
fn add(a: i64, config: &Config) -> i64 {
    let _ = config;
    a
}

fn main() {}
