use mcp_core::prelude::*;

/// Adds two numbers.
///
/// They may be negative.
#[tool(read_only)]
fn add(a: i64, mut b: i64) -> i64 {
    b += a;
    b
}

/// Waits.
#[tool(name = "wait.for-it", idempotent = false, open_world)]
pub(crate) async fn wait() {}

fn main() {
    assert_eq!(add(1, 2), 3);
    let def = add::def();
    assert_eq!((def.name, def.description), ("add", "Adds two numbers.\n\nThey may be negative."));
    assert!(def.place.file.ends_with("plain.rs"));
    assert_eq!(def.place.line, 6);
    assert_eq!(wait::def().name, "wait.for-it");
}
