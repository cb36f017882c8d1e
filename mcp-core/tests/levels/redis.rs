//! The shared level keeps the promises of every level; its own forms are tested in `tests/redis`.

use std::sync::Arc;

use mcp_core::cache::level::Level;
use mcp_core::cache::redis::{Redis, RedisOptions};

use crate::support::Stand;

/// The Redis that `MCP_TEST_REDIS_URL` names, or the one of this machine.
struct Server(String);

impl Server {
    fn new() -> Self {
        let url = std::env::var("MCP_TEST_REDIS_URL");
        Self(url.unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned()))
    }
}

impl Stand for Server {
    fn open(&self, application: &str) -> Arc<dyn Level> {
        let options = RedisOptions { application: application.to_owned() };
        Arc::new(Redis::open(&self.0, &options).unwrap())
    }
}

promises_of_a_level!(Server::new());
