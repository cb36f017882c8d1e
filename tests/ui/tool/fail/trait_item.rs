use mcp_core::prelude::*;

trait Add {
    #[tool]
    fn add(a: i64) -> i64;
}

fn main() {}
