//! The transports under clients that are hostile, slow, gone or many.
//!
//! Where a deadline is tested, time is tokio's paused one: it goes on when all else is idle, real sockets
//! too, so that the deadlines are those of the product. Memory is that of the process, which under nextest
//! a test has for itself.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests"
)]

mod lab;
mod raw;

mod components;

mod fairness;
mod hostile;
mod http2;
mod pipes;
mod unread;
