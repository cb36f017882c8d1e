use mcp_core::prelude::*;

struct Sum(i64);

#[tool]
fn add(a: i64, b: i64) -> Sum {
    Sum(a + b)
}

fn main() {}
