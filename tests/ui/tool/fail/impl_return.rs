use mcp_core::prelude::*;

#[tool]
fn show(value: i64) -> impl std::fmt::Display {
    value
}

fn main() {}
