use mcp_core::prelude::*;

#[tool]
fn shout(text: String, ctx: &Ctx) -> String {
    let _ = ctx;
    text
}

fn main() {}
