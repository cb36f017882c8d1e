//! Tells the crate which compiler builds it: `bench` compares no times of two compilers.

#![allow(clippy::print_stdout, reason = "that is how a build script speaks")]
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked = Command::new(rustc).arg("--version").output().ok().filter(|asked| asked.status.success());
    let version = asked.and_then(|asked| String::from_utf8(asked.stdout).ok());
    println!("cargo::rustc-env=MCP_SERVER_RUSTC={}", version.as_deref().map_or("unknown", str::trim));
}
