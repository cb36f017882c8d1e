use mcp_core::prelude::*;

struct Adder;

#[tool]
impl Adder {
    fn add(a: i64) -> i64 {
        a
    }
}

fn main() {}
