//! The promises of the cache, through its public surface. Tests are named after the properties
//! P1 to P46 of a reliable cache. Time is a fake clock or tokio's paused one; nothing sleeps.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod flights;
mod freshness;
mod invalidation;
mod keys;
mod storing;
mod support;
