use mcp_core::prelude::*;

/// The mistake is the only error: the function is still there.
#[resource(mim = "text/plain")]
fn weather() -> String {
    String::new()
}

fn main() {
    assert_eq!(weather(), "");
}
