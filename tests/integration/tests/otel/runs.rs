//! What happens in a run is told in the span of its call.

use std::sync::atomic::Ordering;
use std::time::Duration;

use harness::{MODERN, Wire};
use mcp_server::serde_json::json;
use mcp_server::tokio;
use opentelemetry::trace::SpanKind;

use super::components::{WAITING, config, server};
use super::lab::{attributes, lab, pairs, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_component_begins_nests_in_its_call() {
    let lab = lab().await;
    for direct_lane in [true, false] {
        for tool in ["nest", "nest_cached"] {
            lab.empty();
            let mut wire = Wire::connect(&server(config(direct_lane)), MODERN).await;
            wire.call(tool, json!({ "rows": 7 })).await;
            let call = lab.operation("tools/call");
            let spans = lab.spans();
            let own = spans.iter().find(|span| span.name == "the user's own").unwrap();
            assert_eq!(own.parent_span_id, call.span_context.span_id(), "{tool}, {direct_lane}");
            assert_eq!(own.span_context.trace_id(), call.span_context.trace_id());

            let [event] = &call.events[..] else { panic!("{:?}", call.events) };
            assert_eq!(event.name, "rows loaded");
            assert_eq!(event.attributes[0].key.as_str(), "mcp_server.checkpoint.value");
            assert!(call.start_time <= event.timestamp && event.timestamp <= call.end_time);
        }
    }
}

#[tokio::test]
async fn a_statement_is_a_span_of_a_client_without_its_literals() {
    let lab = lab().await;
    for direct_lane in [true, false] {
        lab.empty();
        let mut wire = Wire::connect(&server(config(direct_lane)), MODERN).await;
        wire.call("query", json!({ "name": "secret" })).await;
        let call = lab.operation("tools/call");
        let spans = lab.spans();
        let query = spans.iter().find(|span| span.span_kind == SpanKind::Client).unwrap();
        assert_eq!(query.name, "SELECT");
        assert_eq!(query.parent_span_id, call.span_context.span_id());
        let expected = pairs(&[("db.query.text", "SELECT id FROM users WHERE name = ?")]);
        assert_eq!(attributes(&query.attributes), expected);
        let took = query.end_time.duration_since(query.start_time).unwrap();
        assert_eq!(took, Duration::from_millis(3));
        assert!(call.start_time <= query.start_time && query.end_time <= call.end_time);
    }
}

#[tokio::test]
async fn a_call_that_is_cancelled_is_told_as_that() {
    let lab = lab().await;
    for direct_lane in [true, false] {
        lab.empty();
        let mut wire = Wire::connect(&server(config(direct_lane)), MODERN).await;
        let id = wire.send("tools/call", json!({ "name": "wait", "arguments": {} })).await;
        until("the tool runs", || WAITING.load(Ordering::Acquire)).await;
        wire.notify("notifications/cancelled", json!({ "requestId": id })).await;
        until("the call has ended", || lab.spans().iter().any(|span| span.name == "tools/call wait")).await;
        WAITING.store(false, Ordering::Release);
        let span = lab.operation("tools/call");
        let kind = &attributes(&span.attributes)["error.type"];
        assert_eq!(kind, "cancelled", "{direct_lane}");
        if direct_lane {
            lab.operation("notifications/cancelled");
        }
    }
}
