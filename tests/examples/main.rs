//! What the examples promise: where results come from, hostile arguments, callers kept apart.
//!
//! The modules of the examples are compiled into this program, and called as a client would.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod git;
mod notes;

use mcp_server::cache::CacheOutcome;
use mcp_server::prelude::*;
use mcp_server::serde_json::{Value, json};

#[path = "../../examples/git/arguments.rs"]
mod arguments;
#[path = "../../examples/git/files.rs"]
mod files;
#[path = "../../examples/git/history.rs"]
mod history;
#[path = "../../examples/git/repository.rs"]
mod repository;
#[path = "../../examples/notes/store.rs"]
mod store;
#[path = "../../examples/notes/tools.rs"]
mod tools;

#[path = "../../examples/hello/main.rs"]
#[allow(dead_code, reason = "its `main` is not this program's")]
mod hello;

use two_crates_tools as _;

/// Makes a server of all examples whose `[app]` table is `app`.
fn server(app: Value) -> Server {
    configured(Server::linked(), app)
}

fn configured(server: Server, app: Value) -> Server {
    let mut config = Config::default();
    config.app = app;
    server.config(config)
}

/// Calls a tool; returns where the result came from, and its text.
async fn call(server: &Server, tool: &str, arguments: Value) -> (CacheOutcome, String) {
    let called = server.call_tool(tool, arguments).await.unwrap();
    (called.cache, called.text())
}

#[tokio::test]
async fn hello_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    std::fs::write(folder.path().join("a.txt"), "one two\nthree\n").unwrap();
    std::fs::write(folder.path().join("inner/b.txt"), "four").unwrap();
    std::fs::write(folder.path().join("c.bin"), [0xff, 0xfe]).unwrap();
    let (server, arguments) = (server(json!({})), json!({ "folder": folder.path() }));
    let counted = r#"{"files":2,"lines":3,"words":4}"#.to_owned();
    assert_eq!(call(&server, "count", arguments.clone()).await, (CacheOutcome::Computed, counted.clone()));
    assert_eq!(call(&server, "count", arguments).await, (CacheOutcome::Memory, counted));
}

#[tokio::test]
async fn tools_of_a_linked_crate_are_found_with_their_provider() {
    let (_, text) =
        call(&server(json!({})), "keywords", json!({ "text": "the tea, the tea and a cup" })).await;
    assert_eq!(text, r#"{"words":[{"word":"tea","times":2},{"word":"cup","times":1}]}"#);
}
