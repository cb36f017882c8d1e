use mcp_core::prelude::*;

struct Pair(i64, i64);

#[tool]
fn add(pair: Pair) -> i64 {
    pair.0 + pair.1
}

fn main() {}
