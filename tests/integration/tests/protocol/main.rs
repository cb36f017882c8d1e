//! The protocol in all its revisions, message by message.

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
mod components;
mod mistakes;
