use mcp_core::prelude::*;

/// The mistake is the only error: the function is still there.
#[provider(preloaded)]
fn words() -> String {
    String::new()
}

fn main() {
    assert_eq!(words(), "");
}
