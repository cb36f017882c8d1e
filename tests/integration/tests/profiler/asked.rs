//! What a client is told that asks what was measured, by the tools of `profiler_tools`.

use harness::{LEGACY, MODERN, Wire};
use mcp_server::prelude::*;
use mcp_server::{Config, Server};
use serde_json::{Value, json};

use super::lab::Lab;

const TOOLS: [&str; 4] = ["profile_component", "profile_slow_calls", "profile_sql", "profile_summary"];

/// What stands in arguments, results, errors and statements, and must be in no answer.
const CANARY: &str = "canary-5f1c";

async fn lab() -> Lab {
    Lab::with(|config| config.profiler_tools = true).await
}

async fn listed(wire: &mut Wire) -> Vec<Value> {
    let listed = wire.result("tools/list", json!({})).await;
    let tools = listed["tools"].as_array().unwrap().iter();
    tools.filter(|tool| tool["name"].as_str().unwrap().starts_with("profile_")).cloned().collect()
}

/// Asks; returns the text and the JSON of the answer.
async fn ask(wire: &mut Wire, name: &str, arguments: Value) -> (String, Value) {
    let result = wire.call(name, arguments).await;
    assert!(result["isError"] != true && result["structuredContent"].is_object(), "{result}");
    assert!(result.to_string().len() <= 32 << 10, "{} bytes", result.to_string().len());
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    (text, result["structuredContent"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_unless_the_setting_says_so() {
    let off = Lab::new().await;
    let mut wire = Wire::connect(&off.server, LEGACY).await;
    assert_eq!(listed(&mut wire).await, Vec::<Value>::new());
    assert!(off.server.call_tool("profile_summary", json!({})).await.is_err());

    let on = lab().await;
    for revision in [LEGACY, MODERN] {
        let mut wire = Wire::connect(&on.server, revision).await;
        let tools = listed(&mut wire).await;
        let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(names, TOOLS);
        assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true), "{tools:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_is_told_what_blocks_where_and_what_to_change() {
    let lab = lab().await;
    lab.call("sleeps", json!({})).await;
    lab.call("asks_again_and_again", json!({})).await;
    let mut wire = Wire::connect(&lab.server, LEGACY).await;

    let (text, json) = ask(&mut wire, "profile_summary", json!({ "window": "1m" })).await;
    let line =
        text.lines().find(|line| line.contains("blocks the runtime")).unwrap_or_else(|| panic!("{text}"));
    for part in ["tool sleeps", "after `before the sleep`", "tools.rs:", "to change: ", "`blocking`"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    let found = json["findings"].as_array().unwrap();
    assert!(
        found
            .iter()
            .any(|found| found["kind"] == "blocks_the_runtime" && found["component"] == "tool sleeps")
    );
    assert_eq!((&json["window"], &json["components_in_all"]), (&json!("1m"), &json!(2)));

    let (text, json) = ask(&mut wire, "profile_component", json!({ "kind": "tool", "name": "sleeps" })).await;
    assert!(text.contains("blocks the runtime") && text.contains("% of the time in function"), "{text}");
    assert!(json["windows"]["start"]["longest_poll_ns"].as_u64().unwrap() >= 60_000_000);
    assert_eq!(json["calls"][0]["checkpoints"][0]["label"], "before the sleep");

    let (text, json) =
        ask(&mut wire, "profile_slow_calls", json!({ "component": "sleeps", "limit": 1 })).await;
    assert!(text.starts_with("- tool sleeps, blocks: ok after ") && text.contains("to change: "), "{text}");
    assert_eq!((json["calls"].as_array().unwrap().len(), &json["calls_in_all"]), (1, &json!(1)));

    let (text, json) = ask(&mut wire, "profile_sql", json!({ "limit": 50 })).await;
    assert!(text.contains("repeated SQL") && text.contains("a join"), "{text}");
    let ages = |found: &Value| found["fingerprint"].as_str().unwrap().starts_with("SELECT ? AS age");
    assert!(json["statements"].as_array().unwrap().iter().any(ages), "{json}");

    let unknown = wire.call("profile_component", json!({ "kind": "prompt", "name": "sleeps" })).await;
    let said = unknown["content"][0]["text"].as_str().unwrap();
    assert!(unknown["isError"] == true && said.contains("`tool sleeps`"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_is_not_measured_and_never_cached() {
    let lab = lab().await;
    let mut wire = Wire::connect(&lab.server, LEGACY).await;
    let (_, before) = ask(&mut wire, "profile_summary", json!({})).await;
    lab.call("repeats", json!({ "text": "x", "fails": false })).await;
    let (_, after) = ask(&mut wire, "profile_summary", json!({})).await;
    assert_eq!((&before["components_in_all"], &after["components_in_all"]), (&json!(0), &json!(1)));
    for name in ["profile_sql", "profile_slow_calls"] {
        ask(&mut wire, name, json!({})).await;
    }
    let report = lab.report();
    assert_eq!(report.components.iter().map(|component| &*component.name).collect::<Vec<_>>(), ["repeats"]);
    assert!(report.slow.iter().all(|call| call.name == "repeats"), "{:?}", report.slow);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_has_an_argument_a_result_or_a_literal() {
    let lab = lab().await;
    for fails in [false, true] {
        lab.call("repeats", json!({ "text": CANARY, "fails": fails })).await;
    }
    lab.call("repeats", json!({ "text": 1, "fails": CANARY })).await;
    // Its statements have the literal `canary`.
    lab.call("in_sqlite", json!({ "statements": 8 })).await;
    let mut wire = Wire::connect(&lab.server, LEGACY).await;
    for (name, arguments) in [
        ("profile_summary", json!({})),
        ("profile_component", json!({ "kind": "tool", "name": "repeats" })),
        ("profile_component", json!({ "kind": "tool", "name": "in_sqlite" })),
        ("profile_slow_calls", json!({ "limit": 50 })),
        ("profile_sql", json!({ "limit": 50 })),
    ] {
        let (text, json) = ask(&mut wire, name, arguments.clone()).await;
        // The calls are in there, and nothing that they were told or said.
        assert!(text.contains("repeats") || text.contains("in_sqlite"), "{name}: {text}");
        assert!(
            !text.contains("canary") && !json.to_string().contains("canary"),
            "{name} {arguments}: {text}\n{json}"
        );
    }
}

/// A tool that has the name of one of the server's own.
#[tool(name = "profile_summary")]
fn summary_of_ones_own() -> &'static str {
    "of one's own"
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_with_both_places() {
    let mut config = Config::default();
    let own = Server::builder().config(config.clone()).tool(summary_of_ones_own::def());
    assert_eq!(own.call_tool("profile_summary", json!({})).await.unwrap().text(), "of one's own");

    config.profiler_tools = true;
    let both = Server::builder().config(config).tool(summary_of_ones_own::def());
    let error = both.call_tool("profile_summary", json!({})).await.unwrap_err().to_string();
    for part in ["two tools are named `profile_summary`", "asked.rs:", "items.rs:", "give one of them `name"]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
}
