use mcp_core::prelude::*;

/// The mistake is the only error: the derives and what they know are still there.
#[schema(nam = "words")]
struct Words {
    #[serde(default)]
    all: Vec<String>,
}

fn main() {
    let words = Words { all: Vec::new() };
    assert!(words.clone().all.is_empty());
}
