use mcp_core::prelude::*;

#[tool(cache(scope = "public"))]
fn mine(who: Identity) -> String {
    who.subject().unwrap_or_default().to_owned()
}

fn main() {}
