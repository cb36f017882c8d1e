//! The promises of the cache as a client of a whole server sees them.
//!
//! Tests are named after the properties P1 to P46 of a reliable cache; those of the cache's own
//! mechanics stand beside it, in `mcp-core`. Each test has a server and a [`lab::Lab`] of its own.
//! Time is a fake clock or tokio's paused one; nothing sleeps.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod lab;

mod components;
mod contents;

mod bytes;
mod figures;
mod flights;
mod freshness;
mod hints;
mod identities;
mod invalidation;
mod keys;
mod peers;
mod races;
mod storing;
