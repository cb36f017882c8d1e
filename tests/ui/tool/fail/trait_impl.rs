use mcp_core::prelude::*;

trait Add {
    async fn add(&self, a: i64) -> i64;
}

struct Adder(i64);

impl Add for Adder {
    #[tool]
    async fn add(&self, a: i64) -> i64 {
        self.0 + a
    }
}

fn main() {}
