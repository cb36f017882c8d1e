//! Pairs of servers that are equal but for the lane.

use mcp_server::clock::Clock;
use mcp_server::serde_json::json;
use mcp_server::{Config, Server};

use super::contents::{with_contents, with_listed};
use super::tools::{with_guarded, with_tools};

/// What a pair of servers is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// For everybody, with every component, in pages.
    Open,
    /// For known callers, with lists that depend on them.
    Guarded,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Open, Self::Guarded];
}

/// A server with the lane, and the same without.
pub struct Pair {
    pub lane: Server,
    pub plain: Server,
}

impl Pair {
    pub async fn new(kind: Kind) -> Self {
        Self { lane: server(kind, true).await, plain: server(kind, false).await }
    }

    pub fn both(&self) -> [&Server; 2] {
        [&self.lane, &self.plain]
    }
}

async fn server(kind: Kind, direct_lane: bool) -> Server {
    let mut config = Config::default();
    config.direct_lane = direct_lane;
    config.max_response_size = 100_000;
    config.allowed_origins = vec!["https://example.com".to_owned()];
    if kind == Kind::Guarded {
        config.auth_tokens = vec![("alice".to_owned(), "a-token-of-alice".to_owned())];
    }
    // Time stands still: what is left of a ttl does not depend on how fast the test runs.
    let (clock, _) = Clock::fake();
    let server = Server::builder().name("lanes").version("1.2.3").config(config).clock(clock).jitter(0.0);
    let server = with_contents(with_tools(server));
    if kind == Kind::Guarded {
        return with_guarded(with_listed(server));
    }
    let server = server.page_size(5);
    for name in ["switched_off", "switched_off_resource"] {
        server.call_tool("switch", json!({ "name": name, "on": false })).await.unwrap();
    }
    server
}
