//! What an operation is a part of: what its client says, and nothing that rmcp or a tower around it does.

use std::collections::VecDeque;

use harness::{LEGACY, MODERN, Wire, request_meta};
use mcp_server::config::TraceParent;
use mcp_server::serde_json::{Value, json};
use mcp_server::tokio;
use opentelemetry::trace::{FutureExt as _, SpanId, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, global};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};

use super::components::{config, server};
use super::lab::{Client, Lab, Way, lab, until};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "00f067aa0ba902b7";

fn traceparent() -> String {
    format!("00-{TRACE}-{SPAN}-01")
}

async fn called(lab: &Lab, direct_lane: bool, meta: Value) -> SpanData {
    lab.empty();
    let mut wire = Wire::connect(&server(config(direct_lane)), MODERN).await;
    wire.request("tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 }, "_meta": meta }))
        .await;
    lab.operation("tools/call")
}

#[tokio::test]
async fn the_parent_is_what_the_client_says() {
    let lab = lab().await;
    for direct_lane in [true, false] {
        let meta = json!({ "traceparent": traceparent(), "tracestate": "vendor=1" });
        let span = called(&lab, direct_lane, meta).await;
        assert_eq!(span.span_context.trace_id().to_string(), TRACE);
        assert_eq!(span.parent_span_id.to_string(), SPAN);
        assert!(span.parent_span_is_remote);
        assert_eq!(span.span_context.trace_state().header(), "vendor=1");
    }
}

#[tokio::test]
async fn what_is_malformed_or_oversized_is_no_parent() {
    let lab = lab().await;
    let wrong = [
        json!(null),
        json!(7),
        json!(""),
        json!("00-short-01"),
        json!(traceparent().to_uppercase()),
        json!(format!("ff{}", &traceparent()[2..])),
        json!(format!("{}-{}", traceparent(), "0".repeat(100_000))),
        json!(format!("00-{}-{SPAN}-01", "0".repeat(32))),
        json!(format!("00-{TRACE}-{}-01", "0".repeat(16))),
    ];
    for direct_lane in [true, false] {
        for wrong in &wrong {
            let span = called(&lab, direct_lane, json!({ "traceparent": wrong })).await;
            assert_eq!(span.parent_span_id, SpanId::INVALID, "{wrong:.60}");
            assert_ne!(span.span_context.trace_id().to_string(), TRACE);
        }
        let meta =
            json!({ "traceparent": traceparent(), "tracestate": "a=".to_owned() + &"b".repeat(100_000) });
        let span = called(&lab, direct_lane, meta).await;
        assert_eq!(span.parent_span_id.to_string(), SPAN);
        assert_eq!(span.span_context.trace_state().header(), "");
    }
}

/// Calls a tool over HTTP from within a span, as a layer around the service has one; returns that span's id.
async fn within_a_layer(direct_lane: bool, parent: TraceParent, meta: Option<&str>) -> SpanId {
    use http_body_util::Full;
    use tower_service::Service as _;

    let mut config = config(direct_lane);
    config.trace_parent = parent;
    let mut service = server(config).http_service().unwrap();
    let mut params =
        json!({ "name": "add", "arguments": { "a": 1, "b": 2 }, "_meta": request_meta(&json!({})) });
    if let Some(traceparent) = meta {
        params["_meta"]["traceparent"] = json!(traceparent);
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    let request = http::Request::post("http://localhost/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", MODERN)
        .header("mcp-method", "tools/call")
        .header("mcp-name", "add")
        .body(Full::new(VecDeque::from(body.into_bytes())))
        .unwrap();
    let layer = Context::new().with_span(global::tracer("layer").start("a layer"));
    let id = layer.span().span_context().span_id();
    let answer = service.call(request).with_context(layer).await.unwrap();
    assert_eq!(answer.status(), 200);
    id
}

#[tokio::test]
async fn what_serves_it_is_linked() {
    let lab = lab().await;
    for direct_lane in [true, false] {
        lab.empty();
        let layer = within_a_layer(direct_lane, TraceParent::Remote, Some(&traceparent())).await;
        let span = lab.operation("tools/call");
        assert_eq!(span.parent_span_id.to_string(), SPAN);
        let links: Vec<_> = span.links.iter().map(|link| link.span_context.span_id()).collect();
        assert_eq!(links, [layer]);

        lab.empty();
        let layer = within_a_layer(direct_lane, TraceParent::Remote, None).await;
        let span = lab.operation("tools/call");
        assert_eq!(span.parent_span_id, SpanId::INVALID);
        assert_eq!(span.links.iter().map(|link| link.span_context.span_id()).collect::<Vec<_>>(), [layer]);

        lab.empty();
        let layer = within_a_layer(direct_lane, TraceParent::Local, Some(&traceparent())).await;
        let span = lab.operation("tools/call");
        assert_eq!(span.parent_span_id, layer);
        let links: Vec<_> = span.links.iter().map(|link| link.span_context.span_id().to_string()).collect();
        assert_eq!(links, [SPAN]);
    }
}

#[tokio::test]
async fn no_operation_is_a_part_of_what_rmcp_does_for_as_long_as_a_connection() {
    use tracing_subscriber::layer::SubscriberExt as _;

    let lab = lab().await;
    let of_rmcp = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(of_rmcp.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("tracing"));
    // The runtime has one thread, so that this is the subscriber of all tasks.
    let _subscriber =
        mcp_server::tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    for direct_lane in [true, false] {
        for http in [false, true] {
            lab.empty();
            of_rmcp.reset();
            for revision in [LEGACY, MODERN] {
                let way = Way { http, revision, direct: direct_lane };
                let mut client = Client::of(way, server(config(direct_lane))).await;
                lab.empty();
                client.request("tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } })).await;
                let span = lab.operation("tools/call");
                assert_eq!((span.parent_span_id, span.links.len()), (SpanId::INVALID, 0), "{way:?}");
            }
            if !direct_lane && !http {
                let has_ended =
                    || of_rmcp.get_finished_spans().unwrap().iter().any(|span| span.name == "serve_inner");
                until("rmcp's span ends with its connection", has_ended).await;
            }
        }
    }
}
