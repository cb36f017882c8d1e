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
fn components_of_another_crate_are_found_in_a_dev_build() {
    finds_them("dev");
}

#[test]
fn components_of_another_crate_are_found_in_a_release_build() {
    finds_them("release");
}

#[test]
fn components_of_another_crate_are_found_with_fat_lto() {
    finds_them("fat");
}

fn finds_them(profile: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let listed = Command::new(cargo)
        .args(["run", "--quiet", "-p", "examples", "--example", "two_crates", "--profile", profile])
        .args(["--", "list", "--json"])
        // What the linker throws away does not depend on it, and whole-program optimisation takes minutes.
        .env("CARGO_PROFILE_FAT_OPT_LEVEL", "1")
        // The release profile that a user's own crate has.
        .env("CARGO_PROFILE_RELEASE_LTO", "false")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .current_dir(&root)
        .output()
        .unwrap();
    assert!(listed.status.success(), "{profile}: {}", String::from_utf8_lossy(&listed.stderr));
    let list: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let tools = list["tools"].as_array().unwrap();
    let is_elsewhere =
        |tool: &Value| tool["declared"]["module"].as_str().unwrap().starts_with("two_crates_tools");
    assert!(tools.iter().any(is_elsewhere), "{profile}: {tools:?}");
}
