use mcp_core::prelude::*;

#[schema]
union Words {
    a: u8,
    b: i8,
}

fn main() {}
