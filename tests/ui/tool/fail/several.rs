use mcp_core::prelude::*;

#[tool(cach, slow = "3", cache(scope = "all", tags("{c}")))]
fn add(a: &str, b: impl Sized) -> i64 {
    let _ = (a, b);
    1
}

fn main() {}
