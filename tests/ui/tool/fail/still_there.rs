use mcp_core::prelude::*;

/// The mistake is the only error: the function is still there.
#[tool(cach)]
fn add(a: i64, #[serde(default)] b: i64) -> i64 {
    a + b
}

fn main() {
    assert_eq!(add(1, 2), 3);
}
