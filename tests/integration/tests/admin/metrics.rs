//! The text of `/metrics`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use mcp_server::serde_json::json;
use mcp_server::{Config, tokio};

use super::components::{named, server};
use super::lab::{Lab, until};
use super::parser::{Format, Scrape};

async fn scrape(lab: &Lab, format: Format) -> Scrape {
    let accept = match format {
        Format::OpenMetrics => "application/openmetrics-text; version=1.0.0",
        Format::Text => "text/plain; version=0.0.4",
    };
    let answer = lab.get_with("/metrics", "accept", accept).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), format!("{accept}; charset=utf-8"));
    Scrape::read(format, answer.text())
}

#[tokio::test]
async fn every_call_is_in_its_families_in_both_formats() {
    let lab = Lab::new().await;
    for _ in 0..3 {
        lab.call("double", json!({ "a": 2 })).await;
        lab.call("refuse", json!({ "text": "x" })).await;
    }
    lab.call("echo", json!({ "text": "x" })).await;
    let expected = [
        ("mcp_component_calls_total", &[("component", "double"), ("outcome", "ok")][..], 3.0),
        ("mcp_component_calls_total", &[("component", "refuse"), ("outcome", "tool_error")], 3.0),
        ("mcp_cache_requests_total", &[("component", "double"), ("result", "memory")], 2.0),
        ("mcp_cache_requests_total", &[("component", "double"), ("result", "computed")], 1.0),
        ("mcp_component_duration_seconds_count", &[("component", "double"), ("result", "hit")], 2.0),
        ("mcp_component_duration_seconds_count", &[("component", "double"), ("result", "run")], 1.0),
        ("mcp_component_duration_seconds_count", &[("component", "refuse"), ("result", "failed")], 3.0),
        // It waits 5 ms.
        ("mcp_component_duration_seconds_bucket", &[("component", "echo"), ("le", "0.0025")], 0.0),
        ("mcp_component_duration_seconds_bucket", &[("component", "echo"), ("le", "300")], 1.0),
        ("mcp_component_slow_calls_total", &[("component", "echo")], 1.0),
        ("mcp_component_active", &[], 0.0),
        ("mcp_sql_queries_total", &[("kind", "tool"), ("component", "echo")], 1.0),
        ("mcp_sql_query_seconds_total", &[("component", "echo")], 0.001),
        ("mcp_cache_entries", &[], 1.0),
        ("mcp_profiler_enabled", &[], 1.0),
        ("mcp_build_info", &[("version", "1.2.3")], 1.0),
        ("mcp_profiler_dropped_total", &[("what", "webhooks")], 0.0),
        ("mcp_profiler_dropped_total", &[("what", "history")], 0.0),
        ("mcp_sql_unattributed_total", &[], 0.0),
    ];
    for format in [Format::Text, Format::OpenMetrics] {
        let scrape = scrape(&lab, format).await;
        for (name, labels, value) in expected {
            assert_eq!(scrape.sum(name, labels), value, "{name} {labels:?} in {format:?}: {scrape:#?}");
            assert!(scrape.samples.keys().any(|(sample, _)| sample == name), "{name}");
        }
        assert!(
            scrape.sum("mcp_component_phase_seconds_total", &[("component", "echo"), ("phase", "function")])
                > 0.004
        );
        assert!(scrape.sum("mcp_component_polls_total", &[("component", "echo")]) >= 2.0);
        assert!(scrape.sum("process_resident_memory_bytes", &[]) > 1e6);
        // A process of 10 ms has used none yet.
        assert!(scrape.samples.keys().any(|(name, _)| name == "process_cpu_seconds_total"));
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
        let started = scrape.sum("process_start_time_seconds", &[]);
        assert!((now - 600.0..now + 5.0).contains(&started), "{started}");
        for name in ["mcp_runtime_workers", "mcp_runtime_tasks", "mcp_component_busy_seconds_total"] {
            assert!(scrape.sum(name, &[]) > 0.0, "{name}");
        }
    }
}

#[tokio::test]
async fn any_name_is_a_label_and_no_more_than_that() {
    let name = "a \"quoted\" \\ <script>\nmcp_evil 1";
    let lab = Lab::of(server(Config::default()).tool(named(name)), "127.0.0.1:0").await;
    lab.call(name, json!({ "a": 1, "b": 2 })).await;
    for format in [Format::Text, Format::OpenMetrics] {
        let scrape = scrape(&lab, format).await;
        assert_eq!(scrape.sum("mcp_component_calls_total", &[("component", name)]), 1.0);
        assert_eq!(scrape.sum("mcp_evil", &[]), 0.0);
    }
}

#[tokio::test]
async fn unknown_names_of_callers_are_no_labels() {
    let lab = Lab::new().await;
    let body =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "of-a-caller" } });
    let request =
        lab.request(reqwest::Method::POST, "/mcp").header("accept", "application/json, text/event-stream");
    super::lab::send(request.json(&body)).await;
    assert!(!lab.get("/metrics").await.text().contains("of-a-caller"));
}

#[tokio::test]
async fn too_many_components_share_a_series_and_the_total_is_exact() {
    const MANY: usize = 1_100;

    let names: Vec<_> = (0..MANY).map(|number| format!("many_{number}")).collect();
    let server = names.iter().fold(server(Config::default()), |server, name| server.tool(named(name)));
    let lab = Lab::of(server, "127.0.0.1:0").await;
    for name in &names {
        lab.call(name, json!({ "a": 1, "b": 2 })).await;
    }
    let first = scrape(&lab, Format::Text).await;
    let mut series: BTreeMap<_, usize> = BTreeMap::new();
    for (name, _) in first.samples.keys().filter(|(_, labels)| !labels.contains_key("le")) {
        *series.entry(name).or_default() += 1;
    }
    assert!(series.values().all(|count| *count <= 1_000), "{series:?}");
    let other = [("component", "<other>"), ("outcome", "ok")];
    assert!(first.sum("mcp_component_calls_total", &other) >= 100.0);
    assert_eq!(first.sum("mcp_component_calls_total", &[]), MANY as f64);
    assert_eq!(first.sum("mcp_component_duration_seconds_count", &[]), MANY as f64);

    // Who has no name of its own gets none later.
    lab.call("add", json!({ "a": 1, "b": 2 })).await;
    let second = scrape(&lab, Format::Text).await;
    assert_eq!(second.sum("mcp_component_calls_total", &[]), MANY as f64 + 1.0);
    assert_eq!(
        second.sum("mcp_component_calls_total", &other),
        first.sum("mcp_component_calls_total", &other) + 1.0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_only_grow_while_eight_clients_call() {
    const CALLS: usize = 400;

    let lab = Lab::new().await;
    let clients = (0..8_usize).map(|client| {
        let server = std::sync::Arc::clone(&lab.server);
        tokio::spawn(async move {
            for call in 0..CALLS {
                let tool = if call % 2 == 0 { "double" } else { "add" };
                let arguments = json!({ "a": call % 50 + client, "b": 1 });
                let arguments = if tool == "double" { json!({ "a": arguments["a"] }) } else { arguments };
                server.call_tool(tool, arguments).await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut before = Scrape::default();
    let mut scrapes = 0;
    loop {
        let ended = clients.iter().all(tokio::task::JoinHandle::is_finished);
        let format = if scrapes % 2 == 0 { Format::Text } else { Format::OpenMetrics };
        let now = scrape(&lab, format).await;
        for (series, value) in before.growing() {
            let later = now.samples.get(series);
            assert!(later.is_some_and(|later| *later >= value), "{series:?}: {value}, then {later:?}");
        }
        (before, scrapes) = (now, scrapes + 1);
        if ended {
            break;
        }
    }
    assert!(scrapes > 2, "{scrapes}");
    assert_eq!(before.sum("mcp_component_calls_total", &[]), 8.0 * CALLS as f64);
    assert_eq!(before.sum("mcp_component_duration_seconds_count", &[]), 8.0 * CALLS as f64);
}

#[tokio::test]
async fn promtool_finds_nothing_to_say() {
    let Ok(mut promtool) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        println!("promtool is not on the PATH: this check is skipped");
        return;
    };
    let lab = Lab::new().await;
    lab.call("echo", json!({ "text": "x" })).await;
    lab.call("refuse", json!({ "text": "x" })).await;
    let text = lab.get("/metrics").await;
    promtool.stdin.take().unwrap().write_all(&text.body).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.is_empty(), "{said}\n{}", text.text());
}

#[tokio::test]
async fn a_server_that_has_stopped_has_no_figures() {
    let lab = Lab::new().await;
    let waiting = std::sync::Arc::clone(&lab.server);
    let call = tokio::spawn(async move { waiting.call_tool("wait", json!({ "ms": 1_500 })).await.unwrap() });
    until("the call is under way", async || {
        scrape(&lab, Format::Text).await.sum("mcp_component_active", &[("component", "wait")]) == 1.0
    })
    .await;
    // The connection that the client has open goes on until the call is answered.
    lab.server.stop();
    for path in ["/metrics", "/dashboard/report.json"] {
        let answer = lab.get(path).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{path}");
        assert!(!answer.body.is_empty());
    }
    call.await.unwrap();
}
