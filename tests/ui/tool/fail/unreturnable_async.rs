use mcp_core::prelude::*;

struct Sum(i64);

#[tool]
async fn add(a: i64, b: i64) -> Result<Sum, ToolError> {
    Ok(Sum(a + b))
}

fn main() {}
