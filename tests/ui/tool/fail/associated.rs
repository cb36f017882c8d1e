use mcp_core::prelude::*;

struct Adder;

impl Adder {
    #[tool]
    fn add(a: i64) -> i64 {
        a
    }
}

fn main() {}
