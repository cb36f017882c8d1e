//! The pipeline of a server's own: a program that sends to a collector what the variables say.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Http, MODERN, request_meta};
use mcp_server::serde_json::{self, Value, json};
use mcp_server::tokio;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};

use super::collector::{Received, collect};
use super::lab::{Attributes, pairs};

/// Runs a server with variables, lets it answer some requests, and returns how long its end took.
fn served(variables: &[(&str, String)], requests: &[Value]) -> Duration {
    let folder = std::env::temp_dir().join(format!("mcp-otlp-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_served"))
        .args(["serve", "--log", "warn"])
        .current_dir(&folder)
        .env("XDG_RUNTIME_DIR", &folder)
        .envs(variables.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for request in requests {
        writeln!(stdin, "{request}").unwrap();
        let answer: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["id"], request["id"]);
    }
    let begun = Instant::now();
    drop(stdin);
    assert!(lines.next().is_none(), "something but messages was written to stdout");
    assert!(child.wait().unwrap().success());
    begun.elapsed()
}

/// How many sessions a client leaves open.
const SESSIONS: u64 = 300;

/// Serves over HTTP until a client has opened sessions, and is told to stop then.
fn served_sessions(variables: &[(&str, String)]) {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut child = Command::new(env!("CARGO_BIN_EXE_served"))
        .args(["serve", "--http", &address, "--log", "warn"])
        .envs(variables.iter().map(|(name, value)| (*name, value)))
        .spawn()
        .unwrap();
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    client.block_on(async {
        let until = Instant::now() + Duration::from_secs(10);
        while tokio::net::TcpStream::connect(&address).await.is_err() {
            assert!(Instant::now() < until, "it does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let http = Http::at(format!("http://{address}/mcp"));
        for _ in 0..SESSIONS {
            http.initialize(&json!({})).await;
        }
    });
    let told = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(told.success() && child.wait().unwrap().success());
}

fn request(id: u32, method: &str, mut params: Value) -> Value {
    params["_meta"] = request_meta(&json!({}));
    params["_meta"]["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01");
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn attributes(all: &[KeyValue]) -> Attributes {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        other => panic!("no text: {other:?}"),
    };
    all.iter().map(|attribute| (attribute.key.clone(), text(&attribute.value))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_collector_is_sent_what_the_conventions_say() {
    let (address, received) = collect();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}")),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=seven".to_owned()),
        ("OTEL_SERVICE_NAME", "the service".to_owned()),
    ];
    served(
        &variables,
        &[
            request(1, "tools/call", json!({ "name": "add", "arguments": { "a": 2, "b": 3 } })),
            request(2, "tools/call", json!({ "name": "fail", "arguments": { "how": "panic" } })),
            request(3, "tools/list", json!({})),
        ],
    );

    let received = received.lock().unwrap();
    for headers in &received.headers {
        assert_eq!((&*headers["content-type"], &*headers["x-tenant"]), ("application/x-protobuf", "seven"));
    }
    let spans = spans(&received);
    assert_eq!(spans.len(), 3);
    let common = pairs(&[("mcp.protocol.version", MODERN), ("network.transport", "pipe")]);
    let with = |more: &[(&str, &str)]| {
        let mut all = common.clone();
        all.extend(pairs(more));
        all
    };
    let expected = BTreeMap::from([
        (
            "tools/call add",
            with(&[
                ("mcp.method.name", "tools/call"),
                ("gen_ai.operation.name", "execute_tool"),
                ("gen_ai.tool.name", "add"),
                ("jsonrpc.request.id", "1"),
            ]),
        ),
        (
            "tools/call fail",
            with(&[
                ("mcp.method.name", "tools/call"),
                ("gen_ai.operation.name", "execute_tool"),
                ("gen_ai.tool.name", "fail"),
                ("jsonrpc.request.id", "2"),
                ("error.type", "-32603"),
                ("rpc.response.status_code", "-32603"),
            ]),
        ),
        ("tools/list", with(&[("mcp.method.name", "tools/list"), ("jsonrpc.request.id", "3")])),
    ]);
    for span in &spans {
        assert_eq!(attributes(&span.attributes), expected[&*span.name]);
        assert_eq!(span.kind, SpanKind::Server as i32);
        assert_eq!(hex(&span.trace_id), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(hex(&span.parent_span_id), "00f067aa0ba902b7");
        let status = span.status.clone().unwrap_or_default();
        if span.name == "tools/call fail" {
            assert_eq!(status.code, StatusCode::Error as i32);
            assert!(status.message.starts_with("internal error (id "), "{}", status.message);
        } else {
            assert_eq!((status.code, &*status.message), (StatusCode::Unset as i32, ""));
        }
    }
    check_durations(&received, &expected);
}

fn spans(received: &Received) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource in received.traces.iter().flat_map(|request| &request.resource_spans) {
        let named = attributes_of_text(&resource.resource.as_ref().unwrap().attributes);
        assert_eq!(named["service.name"], "the service");
        for scope in &resource.scope_spans {
            assert_eq!(scope.scope.as_ref().unwrap().name, "mcp-server");
            spans.extend(scope.spans.iter().cloned());
        }
    }
    spans
}

fn attributes_of_text(all: &[KeyValue]) -> Attributes {
    all.iter()
        .map(|attribute| (attribute.key.clone(), attributes(std::slice::from_ref(attribute))))
        .map(|(key, mut one)| (key.clone(), one.remove(&key).unwrap()))
        .collect()
}

/// Holds the metrics against the same attributes, without those of one request.
fn check_durations(received: &Received, expected: &BTreeMap<&str, Attributes>) {
    let metrics: Vec<_> = received
        .metrics
        .iter()
        .flat_map(|request| &request.resource_metrics)
        .flat_map(|resource| &resource.scope_metrics)
        .flat_map(|scope| &scope.metrics)
        .collect();
    let [metric] = metrics[..] else { panic!("{metrics:?}") };
    assert_eq!((&*metric.name, &*metric.unit), ("mcp.server.operation.duration", "s"));
    let Some(Data::Histogram(histogram)) = &metric.data else { panic!("{metric:?}") };
    let mut found: Vec<_> = histogram.data_points.iter().map(|point| attributes(&point.attributes)).collect();
    for point in &histogram.data_points {
        let bounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
        assert_eq!((&*point.explicit_bounds, point.count), (&bounds[..], 1));
    }
    let mut expected: Vec<_> = expected.values().cloned().collect();
    for attributes in &mut expected {
        attributes.remove("jsonrpc.request.id");
    }
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn sessions_that_the_end_of_the_process_ends_are_sent_as_well() {
    let (address, received) = collect();
    served_sessions(&[("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}"))]);
    let received = received.lock().unwrap();
    let resources = received.metrics.iter().flat_map(|request| &request.resource_metrics);
    let metrics = resources.flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics);
    let mut sessions = metrics.filter(|metric| metric.name == "mcp.server.session.duration");
    let Some(Data::Histogram(histogram)) = sessions.next().and_then(|metric| metric.data.as_ref()) else {
        panic!("{:?}", received.metrics)
    };
    assert_eq!(histogram.data_points.iter().map(|point| point.count).sum::<u64>(), SESSIONS);
}

#[test]
fn a_collector_that_is_away_or_hangs_is_not_waited_for() {
    // Accepts, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for endpoint in ["http://127.0.0.1:9".to_owned(), format!("http://{}", silent.local_addr().unwrap())] {
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.clone())];
        let took = served(&variables, &[request(1, "tools/list", json!({}))]);
        assert!(took < Duration::from_secs(6), "{endpoint}: {took:?}");
    }
}

#[test]
fn what_it_cannot_do_is_said_at_the_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_served"))
        .args(["serve", "--stdio"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && text.contains("http/protobuf"), "{text}");
}

#[test]
fn it_is_off_where_the_variables_say_so() {
    let (address, received) = collect();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}")),
        ("OTEL_SDK_DISABLED", "true".to_owned()),
    ];
    served(&variables, &[request(1, "tools/list", json!({}))]);
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}")),
        ("OTEL_TRACES_SAMPLER", "always_off".to_owned()),
    ];
    served(&variables, &[request(1, "tools/list", json!({}))]);
    assert!(received.lock().unwrap().traces.is_empty());
}
