//! How long sessions are, over each way that has them.

use std::sync::Arc;

use harness::{Http, LEGACY, MODERN, Wire};
use mcp_server::serde_json::json;
use mcp_server::{Server, tokio};

use super::components::{config, server};
use super::lab::{Attributes, Lab, lab, pairs, until};

const PIPE: &[(&str, &str)] = &[("mcp.protocol.version", LEGACY), ("network.transport", "pipe")];

const HTTP: &[(&str, &str)] = &[
    ("mcp.protocol.version", LEGACY),
    ("network.transport", "tcp"),
    ("network.protocol.name", "http"),
    ("network.protocol.version", "1.1"),
];

/// Waits for a session that has ended, the only one.
async fn ended(lab: &Lab) -> Attributes {
    let mut found = Vec::new();
    until("a session is told", || {
        found = lab.sessions();
        !found.is_empty()
    })
    .await;
    assert_eq!(found.len(), 1, "{found:?}");
    let (attributes, count) = found.remove(0);
    assert_eq!(count, 1);
    attributes
}

/// Serves over HTTP a server that can be told to stop.
async fn served(server: Server) -> (Arc<Server>, Http) {
    let server = Arc::new(server);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = Http::at(format!("http://{}/mcp", listener.local_addr().unwrap()));
    let serving = Arc::clone(&server);
    tokio::spawn(async move { serving.serve_listener(listener).await });
    (server, http)
}

#[tokio::test]
async fn a_connection_is_a_session_from_its_handshake_on() {
    let lab = lab().await;
    for direct_lane in [true, false] {
        lab.empty();
        let mut wire = Wire::connect(&server(config(direct_lane)), LEGACY).await;
        wire.call("add", json!({ "a": 1, "b": 2 })).await;
        assert_eq!(lab.sessions(), [], "it is not over");
        drop(wire);
        assert_eq!(ended(&lab).await, pairs(PIPE));
    }
}

#[tokio::test]
async fn a_session_ends_when_its_client_says_so() {
    let lab = lab().await;
    let (_server, http) = served(server(config(true))).await;
    let session = http.initialize(&json!({})).await;
    http.request_in(&session, "tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } })).await;
    assert_eq!(lab.sessions(), [], "it is not over");
    let delete = reqwest::Client::new().delete(&http.url).header("mcp-session-id", &session);
    let answer = delete.header("mcp-protocol-version", LEGACY).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    assert_eq!(ended(&lab).await, pairs(HTTP), "and nothing of its id");
}

#[tokio::test]
async fn a_session_ends_with_its_server() {
    let lab = lab().await;
    let (server, http) = served(server(config(true))).await;
    http.initialize(&json!({})).await;
    assert_eq!(lab.sessions(), []);
    server.stop();
    assert_eq!(ended(&lab).await, pairs(HTTP));
}

#[tokio::test]
async fn the_newest_revision_has_no_sessions() {
    let lab = lab().await;
    for direct_lane in [true, false] {
        let mut wire = Wire::connect(&server(config(direct_lane)), MODERN).await;
        wire.call("add", json!({ "a": 1, "b": 2 })).await;
        let (server, http) = served(server(config(direct_lane))).await;
        http.request("tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } })).await;
        drop(wire);
        server.stop();
    }
    // What ends first is told first.
    drop(Wire::connect(&server(config(true)), LEGACY).await);
    assert_eq!(ended(&lab).await, pairs(PIPE));
}
