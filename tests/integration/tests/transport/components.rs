//! The components: some quick, some large, some that wait until a test lets them go on.

use mcp_server::prelude::*;
use mcp_server::serde_json::Value;
use mcp_server::{Config, Server};

use super::lab::gate;

/// Adds two numbers.
#[tool(read_only)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Takes anything.
#[tool(read_only)]
fn take(value: Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}

/// Returns so many bytes.
#[tool(read_only)]
fn big(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Returns so many bytes, from the cache.
#[tool(read_only, cache(ttl = "1h", scope = "public"))]
fn kept(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Waits at a gate.
#[tool(read_only)]
async fn held(at: String) -> String {
    gate(&at).pass().await;
    at
}

/// Waits at a gate, for all who ask the same.
#[tool(read_only, cache(ttl = "1h", scope = "public"))]
async fn shared(at: String) -> String {
    gate(&at).pass().await;
    at
}

/// Waits at a gate, one at a time.
#[tool(read_only, concurrency = 1)]
async fn lone(at: String) -> String {
    gate(&at).pass().await;
    at
}

/// Blocks its thread at a gate.
#[tool(read_only, blocking)]
fn blocked(at: String) -> String {
    gate(&at).block();
    at
}

pub(crate) fn config(direct_lane: bool) -> Config {
    let mut config = Config::default();
    config.direct_lane = direct_lane;
    config.max_request_size = 1 << 20;
    config
}

pub(crate) fn server(config: Config) -> Server {
    Server::builder()
        .name("transport")
        .config(config)
        .tool(add::def())
        .tool(take::def())
        .tool(big::def())
        .tool(kept::def())
        .tool(held::def())
        .tool(shared::def())
        .tool(lone::def())
        .tool(blocked::def())
}
