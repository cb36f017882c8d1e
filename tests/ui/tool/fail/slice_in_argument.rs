use mcp_core::prelude::*;

#[tool]
fn shout(texts: Option<&[String]>) -> usize {
    texts.map_or(0, <[String]>::len)
}

fn main() {}
