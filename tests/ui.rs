//! What the attributes accept, and what they say about what they do not accept.
//!
//! One file, one cause. The errors are those of the compiler in CI; bless them with `TRYBUILD=overwrite`.

// Linked for its own sake: it compiles.
use renamed as _;

#[test]
fn attributes() {
    let cases = trybuild::TestCases::new();
    for attribute in ["tool", "resource", "prompt", "provider", "schema"] {
        cases.pass(format!("ui/{attribute}/pass/*.rs"));
        cases.compile_fail(format!("ui/{attribute}/fail/*.rs"));
    }
}
