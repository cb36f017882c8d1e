//! The shared level in the forms that a Redis has: a cluster, TLS, users with rights.
//!
//! Each test starts servers of its own, with the `redis-server` of this machine.

#![cfg(feature = "redis")]
#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod forms;
mod server;
