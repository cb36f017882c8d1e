//! HTTP/2 without TLS, as between a proxy and its server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use harness::MODERN;
use mcp_server::serde_json::{self, Value, json};
use reqwest::Version;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::components::config;
use super::lab::{Lab, gate};
use super::raw::message;

/// A client of HTTP/2 that counts its connections, as they go through a relay.
#[derive(Clone)]
struct Client {
    client: reqwest::Client,
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Client {
    async fn new(lab: &Lab) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let connections = Arc::<AtomicUsize>::default();
        let (count, to) = (Arc::clone(&connections), lab.address);
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                count.fetch_add(1, SeqCst);
                tokio::spawn(async move {
                    let mut to = TcpStream::connect(to).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                });
            }
        });
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        Self { client, url, connections }
    }

    async fn call(&self, name: &str, arguments: Value) -> String {
        let response = post(&self.client, &self.url, name, &arguments).await;
        assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
        let text = response.text().await.unwrap();
        let json = text.lines().find_map(|line| line.strip_prefix("data: {"));
        let json = json.map_or_else(|| text.clone(), |json| format!("{{{json}"));
        let answer: Value = serde_json::from_str(&json).unwrap();
        answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned()
    }
}

async fn post(client: &reqwest::Client, url: &str, name: &str, arguments: &Value) -> reqwest::Response {
    let request = client
        .post(url)
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", MODERN)
        .header("mcp-method", "tools/call")
        .header("mcp-name", name);
    request.body(message(name, arguments)).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_calls_share_one_connection() {
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        let client = Client::new(&lab).await;
        assert_eq!(client.call("add", json!({ "a": 1, "b": 2 })).await, "3");
        let at = format!("http2 {lane}");
        let mut calls = JoinSet::new();
        for _ in 0..100 {
            let (client, at) = (client.clone(), at.clone());
            calls.spawn(async move { client.call("held", json!({ "at": at })).await });
        }
        gate(&at).has(100).await;
        assert_eq!(client.call("add", json!({ "a": 3, "b": 4 })).await, "7");
        gate(&at).let_go(100);
        assert!(calls.join_all().await.iter().all(|said| *said == at));
        // Larger than any window.
        assert_eq!(client.call("big", json!({ "bytes": 4 << 20 })).await.len(), 4 << 20);
        assert_eq!(client.connections.load(SeqCst), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_are_reset_end_their_calls() {
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        let client = Client::new(&lab).await;
        assert_eq!(client.call("add", json!({ "a": 1, "b": 2 })).await, "3");
        let at = format!("reset {lane}");
        let mut calls = JoinSet::new();
        for _ in 0..50 {
            let (client, at) = (client.clone(), at.clone());
            calls.spawn(async move { client.call("held", json!({ "at": at })).await });
        }
        gate(&at).has(50).await;
        calls.shutdown().await;
        gate(&at).has(0).await;
        assert_eq!(client.call("add", json!({ "a": 1, "b": 2 })).await, "3");
        assert_eq!(client.connections.load(SeqCst), 1, "the connection itself goes on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_to_another_host_is_refused_in_both_versions() {
    for lane in [true, false] {
        let lab = Lab::http(config(lane)).await;
        for (host, status) in [("evil.example", 403), ("localhost", 200)] {
            let mut bodies = Vec::new();
            for http2 in [true, false] {
                let builder = reqwest::Client::builder().resolve(host, lab.address).no_proxy();
                let builder = if http2 { builder.http2_prior_knowledge() } else { builder };
                let url = format!("http://{host}:{}/mcp", lab.address.port());
                let response = post(&builder.build().unwrap(), &url, "add", &json!({ "a": 1, "b": 2 })).await;
                let version = if http2 { Version::HTTP_2 } else { Version::HTTP_11 };
                assert_eq!((response.status().as_u16(), response.version()), (status, version), "{host}");
                bodies.push(response.text().await.unwrap());
            }
            assert_eq!(bodies[0], bodies[1], "{host}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cap_of_requests_ends_connections_and_loses_no_answer() {
    for lane in [true, false] {
        let mut config = config(lane);
        config.keep_alive_requests = Some(5);
        let lab = Lab::http(config).await;
        let client = Client::new(&lab).await;
        // More than five may be on their way before a client hears that it is to go.
        let several = async |client: &Client| {
            let before = client.connections.load(SeqCst);
            for number in 0..20 {
                let sum = client.call("add", json!({ "a": number, "b": 1 })).await;
                assert_eq!(sum, (number + 1).to_string());
            }
            let after = client.connections.load(SeqCst);
            assert!(after >= before + 2, "{} more connections for 20 calls", after - before);
        };
        several(&client).await;
        // On a connection of their own: the last one may be going just now.
        let client = Client::new(&lab).await;
        let mut calls = JoinSet::new();
        for number in 0..5 {
            let client = client.clone();
            calls.spawn(async move { client.call("add", json!({ "a": number, "b": 0 })).await });
        }
        let mut sums: Vec<i32> = calls.join_all().await.iter().map(|sum| sum.parse().unwrap()).collect();
        sums.sort_unstable();
        assert_eq!(sums, (0..5).collect::<Vec<_>>());
        several(&client).await;
    }
}

/// The frames of what a server sent: each with its type and what it holds.
fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(9) {
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let Some((payload, rest)) = rest.split_at_checked(length) else { break };
        frames.push((head[3], payload.to_vec()));
        bytes = rest;
    }
    assert!(bytes.is_empty(), "no frame: {:?}", String::from_utf8_lossy(bytes));
    frames
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_idle_is_told_to_go_away() {
    const GOAWAY: u8 = 7;

    let lab = Lab::http(config(true)).await;
    let mut client = lab.raw().await;
    // The preface, settings of none, and that those of the server are taken.
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    client.send(b"\0\0\0\x04\0\0\0\0\0").await.unwrap();
    client.send(b"\0\0\0\x04\x01\0\0\0\0").await.unwrap();
    while client.more().await {}
    let frames = frames(client.unread());
    let last = frames.iter().rfind(|(kind, _)| *kind == GOAWAY);
    let (_, payload) = last.unwrap_or_else(|| panic!("no GOAWAY: {frames:?}"));
    assert_eq!(payload[4..8], [0; 4], "nothing went wrong");
    lab.is_clean().await;
}
