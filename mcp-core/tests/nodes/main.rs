//! The promises of the cache where many processes share a level below memory: each node is a cache of its own,
//! and the level a real Redis, at `MCP_TEST_REDIS_URL` or on this machine. Tests are named after the properties
//! P1 to P46 of a reliable cache. Those that break the level start a `redis-server` of their own.

#![cfg(feature = "redis")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]
#![expect(clippy::print_stdout, reason = "seeds, figures and what was skipped")]

mod invalidation;
mod looks;
mod news;
mod outages;
#[cfg(target_os = "linux")]
mod processes;
mod recovery;
mod rows;
mod sharing;
mod soak;
mod support;
mod two_levels;
