use mcp_core::prelude::*;

/// The mistake is the only error: the function is still there.
#[prompt(titel = "Greeting")]
fn greet(name: String) -> String {
    name
}

fn main() {
    assert_eq!(greet("Ada".to_owned()), "Ada");
}
