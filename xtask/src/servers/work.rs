//! What the tools of all servers do.

use std::time::Duration;

/// How many bytes of text `page` returns.
pub(crate) const PAGE_BYTES: usize = 2048;

/// How many tools the second variant of each server has.
pub(crate) const MANY: usize = 200;

/// How long `wait` takes, as a call of another service does.
pub(super) const WAIT: Duration = Duration::from_millis(20);

/// How long `hold` takes: longer than what is measured beside it.
pub(super) const HOLD: Duration = Duration::from_secs(30);

const WORDS: &str = "The quick brown fox jumps over the lazy dog. ";

/// Returns the page of a key: text that JSON writes without escapes.
pub(crate) fn page(key: &str) -> String {
    let mut text = String::with_capacity(PAGE_BYTES + WORDS.len());
    text.push_str(key);
    while text.len() < PAGE_BYTES {
        text.push_str(WORDS);
    }
    text.truncate(PAGE_BYTES);
    text
}

/// Returns what one of the many tools says.
pub(super) fn found(customer: &str, limit: i64) -> String {
    format!("{limit} orders of {customer}")
}
