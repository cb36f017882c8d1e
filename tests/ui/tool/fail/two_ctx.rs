use mcp_core::prelude::*;

#[tool]
fn find(a: Ctx, b: Ctx) {
    let _ = (a, b);
}

fn main() {}
