//! What the profiler finds out about tools of a server that serves.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod asked;
mod findings;
mod lab;
mod memory;
mod queries;
mod tools;

use mcp_server::profile::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();
