//! A call that is kept names its trace, so that one finds the other.

use std::sync::atomic::Ordering;
use std::time::Duration;

use harness::{MODERN, Wire, request_meta};
use mcp_server::profile::SlowCall;
use mcp_server::serde_json::{Value, json};
use mcp_server::{Server, tokio};

use super::components::{WAITING, config, server};
use super::lab::{Client, Way, lab, until};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A server of which each call is slow.
fn slow(direct_lane: bool) -> Server {
    let mut config = config(direct_lane);
    config.slow_threshold = Duration::from_nanos(1);
    server(config)
}

fn asked(name: &str, arguments: Value) -> Value {
    let mut meta = request_meta(&json!({}));
    meta["traceparent"] = json!(format!("00-{TRACE}-00f067aa0ba902b7-01"));
    json!({ "name": name, "arguments": arguments, "_meta": meta })
}

/// Returns the newest call that is kept of a tool.
fn kept(server: &Server, name: &str) -> Option<SlowCall> {
    server.report().unwrap().slow.into_iter().find(|call| call.name == name)
}

#[tokio::test]
async fn a_call_is_in_the_trace_that_its_client_says() {
    let _lab = lab().await;
    let cases = [
        ("add", json!({ "a": 1, "b": 2 }), "ok"),
        ("refuse", json!({ "text": "x" }), "tool_error"),
        ("explode", json!({ "text": "x" }), "panic"),
        ("nest_cached", json!({ "rows": 1 }), "ok"),
    ];
    for direct_lane in [true, false] {
        let server = slow(direct_lane);
        let mut wire = Wire::connect(&server, MODERN).await;
        for (name, arguments, outcome) in &cases {
            wire.request("tools/call", asked(name, arguments.clone())).await;
            let call = kept(&server, name).unwrap();
            assert_eq!(call.outcome.as_deref(), Some(*outcome));
            assert_eq!(call.trace_id.as_deref(), Some(TRACE), "{name}, {direct_lane}");
        }
    }
}

#[tokio::test]
async fn without_a_parent_it_is_the_trace_of_its_own_span() {
    let lab = lab().await;
    for way in Way::all().into_iter().filter(|way| !way.http) {
        let server = slow(way.direct);
        lab.empty();
        let mut client = Client::Pipe(Box::new(Wire::connect(&server, way.revision).await));
        client.request("tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } })).await;
        let trace = lab.operation("tools/call").span_context.trace_id().to_string();
        assert_eq!(kept(&server, "add").unwrap().trace_id, Some(trace), "{way:?}");
    }
}

#[tokio::test]
async fn a_hit_has_the_trace_of_its_caller_and_not_of_its_run() {
    let lab = lab().await;
    for direct_lane in [true, false] {
        let server = slow(direct_lane);
        let mut wire = Wire::connect(&server, MODERN).await;
        wire.request("tools/call", asked("nest_cached", json!({ "rows": 1 }))).await;
        lab.empty();
        // It is caught in spite of the one just before if it is one of the worst.
        wire.call("nest_cached", json!({ "rows": 1 })).await;
        let trace = lab.operation("tools/call").span_context.trace_id().to_string();
        let hit = kept_hit(&server);
        assert_ne!(trace, TRACE);
        assert_eq!(hit.trace_id, Some(trace), "{direct_lane}");
    }
}

fn kept_hit(server: &Server) -> SlowCall {
    let slow = server.report().unwrap().slow;
    let hit = slow.into_iter().find(|call| call.cache.as_deref() == Some("memory"));
    hit.unwrap()
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_more_has_the_trace_of_its_run() {
    let _lab = lab().await;
    for direct_lane in [true, false] {
        let server = slow(direct_lane);
        let mut wire = Wire::connect(&server, MODERN).await;
        let id = wire.send("tools/call", asked("wait", json!({}))).await;
        until("the tool runs", || WAITING.load(Ordering::Acquire)).await;
        WAITING.store(false, Ordering::Release);
        wire.notify("notifications/cancelled", json!({ "requestId": id })).await;
        until("the call is kept", || kept(&server, "wait").is_some_and(|call| call.outcome.is_some())).await;
        let call = kept(&server, "wait").unwrap();
        assert_eq!(call.trace_id.as_deref(), Some(TRACE), "{direct_lane}: {call:?}");
    }
}

#[tokio::test]
async fn what_no_client_asked_for_is_in_no_trace() {
    let _lab = lab().await;
    let server = slow(true);
    server.call_tool("add", json!({ "a": 1, "b": 2 })).await.unwrap();
    assert_eq!(kept(&server, "add").unwrap().trace_id, None);
}
