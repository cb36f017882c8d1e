//! Components of a crate that a program only links are found, whatever the linker may throw away.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests"
)]

use std::path::Path;
use std::process::Command;

use mcp_server::serde_json::{self, Value};

#[test]
fn components_of_another_crate_are_found_in_dev_release_and_fat_lto() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for profile in ["dev", "release", "fat"] {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let built = Command::new(cargo)
            .args([
                "run",
                "--quiet",
                "-p",
                "examples",
                "--example",
                "two_crates",
                "--profile",
                profile,
                "--",
                "list",
                "--json",
            ])
            // What the linker throws away does not depend on it, and whole-program optimisation takes minutes.
            .env("CARGO_PROFILE_FAT_OPT_LEVEL", "1")
            .current_dir(&root)
            .output()
            .unwrap();
        assert!(built.status.success(), "{profile}: {}", String::from_utf8_lossy(&built.stderr));
        let list: Value = serde_json::from_slice(&built.stdout).unwrap();
        let tools = list["tools"].as_array().unwrap();
        let elsewhere = tools
            .iter()
            .filter(|tool| tool["declared"]["module"].as_str().unwrap().starts_with("two_crates_tools"));
        assert!(elsewhere.count() > 0, "{profile}: {tools:?}");
    }
}
