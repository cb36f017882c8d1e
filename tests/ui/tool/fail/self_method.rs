use mcp_core::prelude::*;

struct Adder(i64);

impl Adder {
    #[tool]
    fn add(&self, a: i64) -> i64 {
        self.0 + a
    }
}

fn main() {}
