//! The protocol in all its revisions, message by message.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests"
)]

mod asking;
mod basics;
mod changes;
mod coding;
mod components;
mod crowd;
mod mistakes;
