use mcp_core::prelude::*;

#[resource(uri = "file:///{path*}")]
fn file(path: String) -> String {
    path
}

fn main() {}
