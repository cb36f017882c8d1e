//! A crate with strict lints.
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings, missing_debug_implementations, missing_copy_implementations, unreachable_pub)]
#![deny(unused_qualifications, unnameable_types, single_use_lifetimes, trivial_casts, rust_2018_idioms)]

use mcp_core::prelude::*;

/// Adds.
#[tool(read_only, cache(tags("a:{a}")), slow = "1s")]
pub async fn add(a: i64, b: Option<i64>, ctx_free: Dep<i64>) -> Result<i64, ToolError> {
    Ok(a + b.unwrap_or_default() + *ctx_free)
}

/// Is old.
#[tool]
#[deprecated(note = "use `add`")]
pub fn old(
    /// The number.
    a: i64,
) -> i64 {
    a
}

/// Not here.
#[cfg(any())]
#[tool]
pub fn absent(a: Missing) -> Missing {
    a
}

/// Not here either.
#[tool]
#[cfg(any())]
pub fn absent_too(a: Missing) -> Missing {
    a
}

/// Is for a test.
#[tool]
#[allow(clippy::too_many_arguments, reason = "it stays on the function")]
#[must_use]
pub fn kept(a: i64) -> i64 {
    a
}

/// A page.
#[resource(uri = "page://{id}", cacheable, list = pages)]
pub fn page(id: u32) -> String {
    id.to_string()
}

fn pages() -> Vec<Listed> {
    Vec::new()
}

/// Greets.
#[prompt(complete(name = names))]
pub fn greet(name: String) -> String {
    name
}

fn names(typed: String) -> Vec<String> {
    vec![typed]
}

/// The number.
#[provider]
pub fn number() -> i64 {
    7
}

/// What is asked.
#[schema]
pub struct Question {
    /// The words.
    pub words: String,
}

fn main() {}
