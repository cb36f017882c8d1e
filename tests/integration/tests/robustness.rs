//! Random input of every kind: no panic, no hang, no wrong answer.
//!
//! Each test runs for `MCP_FUZZ_SECONDS` (2 by default, 60 where all tests run) with seeds of its
//! own, and prints the input that failed.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests"
)]

use std::time::{Duration, Instant};

use harness::{LEGACY, MODERN, Wire, request_meta};
use mcp_server::prelude::*;
use mcp_server::serde_json::{Value, json};
use mcp_server::uri::Template;
use mcp_server::{Server, tokio};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config as Cases, TestRunner};

fn seconds() -> Duration {
    let seconds = std::env::var("MCP_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(2))
}

/// Runs a property on random values until the time is over.
fn for_a_while<S: Strategy>(strategy: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let start = Instant::now();
    while start.elapsed() < seconds() {
        let cases = Cases { cases: 256, failure_persistence: None, ..Cases::default() };
        TestRunner::new(cases).run(&strategy, &property).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Echoes its arguments.
#[tool(read_only, cache(scope = "public"))]
fn echo(
    text: Option<String>,
    number: Option<f64>,
    whole: Option<i64>,
    #[serde(default)] list: Vec<Value>,
) -> Json<Vec<Value>> {
    Json(vec![json!(text), json!(number), json!(whole), json!(list)])
}

/// One thing.
#[resource(uri = "thing://{id}{?q}", cacheable)]
fn thing(id: u32, q: Option<String>) -> String {
    format!("{id}{}", q.unwrap_or_default())
}

/// Says it.
#[prompt]
fn say(what: String) -> String {
    what
}

fn server() -> Server {
    Server::builder().config(Config::default()).tool(echo::def()).resource(thing::def()).prompt(say::def())
}

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec(("\\PC{0,8}", inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// A message that is nearly one of the protocol: a real one with some of its parts replaced.
fn nearly_a_message() -> impl Strategy<Value = Value> {
    let methods = prop_oneof![
        Just("tools/call"),
        Just("tools/list"),
        Just("resources/read"),
        Just("resources/list"),
        Just("prompts/get"),
        Just("completion/complete"),
        Just("resources/subscribe"),
        Just("logging/setLevel"),
        Just("server/discover"),
        Just("subscriptions/listen"),
        Just("ping"),
        Just("initialize"),
        Just("notifications/cancelled"),
        Just("x/y"),
    ];
    let params = prop_oneof![
        (any_json(), any_json()).prop_map(|(name, arguments)| json!({ "name": name, "arguments": arguments })),
        any_json().prop_map(|arguments| json!({ "name": "echo", "arguments": arguments })),
        any_json().prop_map(|text| json!({ "name": "echo", "arguments": { "text": text, "list": [text] } })),
        any_json().prop_map(|state| json!({ "name": "echo", "arguments": {}, "requestState": state, "inputResponses": { "a": state } })),
        "\\PC{0,20}".prop_map(|rest| json!({ "uri": format!("thing://{rest}") })),
        any_json().prop_map(|what| json!({ "name": "say", "arguments": { "what": what } })),
        any_json().prop_map(|cursor| json!({ "cursor": cursor })),
        any_json().prop_map(|any| json!({ "ref": { "type": "ref/prompt", "name": any }, "argument": any })),
        any_json(),
    ];
    let id = prop_oneof![3 => any::<u32>().prop_map(Value::from), 1 => any_json()];
    (methods, params, id, any::<bool>(), any::<bool>()).prop_map(
        |(method, mut params, id, modern, with_id)| {
            if let (true, Some(params)) = (modern, params.as_object_mut()) {
                params.insert("_meta".to_owned(), request_meta(&json!({})));
            }
            let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
            if with_id {
                message["id"] = id;
            }
            message
        },
    )
}

#[tokio::test]
async fn a_server_survives_what_is_nearly_a_message() {
    let start = Instant::now();
    let mut runner = TestRunner::new(Cases::default());
    let (messages, bytes) = (nearly_a_message(), vec(any::<char>(), 0..40));
    let mut sent = 0_u64;
    while start.elapsed() < seconds() {
        for revision in [LEGACY, MODERN] {
            let server = server();
            let mut wire = Raw::connect(&server, revision).await;
            for _ in 0..200 {
                let line = if sent.is_multiple_of(5) {
                    let noise: String = bytes.new_tree(&mut runner).unwrap().current().into_iter().collect();
                    noise.replace(['\n', '\r'], " ")
                } else {
                    messages.new_tree(&mut runner).unwrap().current().to_string()
                };
                wire.send(&line).await;
                sent += 1;
            }
            wire.is_alive(revision).await;
        }
    }
    println!("{sent} lines sent");
}

#[test]
fn templates_match_what_they_expand_to_and_nothing_panics() {
    let text = prop_oneof!["\\PC{0,30}", "[a-z]{1,4}:(//)?(\\{[+#./;?&]?[a-z](,[a-z])?\\}|[a-z/]){0,6}",];
    for_a_while((text, "\\PC{0,40}", "\\PC{1,10}"), |(template, uri, value)| {
        if let Ok(parsed) = Template::parse(&template) {
            let _ = parsed.matches(&uri);
            let simple =
                parsed.variables().count() == 1 && template.contains("://{") && template.ends_with('}');
            let operator = template.split('{').nth(1).and_then(|rest| rest.chars().next());
            if simple && operator.is_some_and(|char| char.is_ascii_lowercase()) {
                let name = parsed.variables().next().unwrap().to_owned();
                let expanded = template.replace(&format!("{{{name}}}"), &mcp_server::uri::part(&value));
                prop_assert_eq!(parsed.matches(&expanded), Some(vec![(name, value)]));
            }
        }
        let once = mcp_server::uri::canonical(&uri).into_owned();
        prop_assert_eq!(mcp_server::uri::canonical(&once).into_owned(), once);
        Ok(())
    });
}

#[test]
fn durations_and_sizes_are_read_or_refused() {
    let text = prop_oneof!["\\PC{0,20}", "[0-9]{0,25}(\\.[0-9]{0,5})? ?(ms|s|m|h|d|KB|MiB|GB|x)?"];
    for_a_while((text, 0_u64..1_000_000), |(text, number)| {
        let _ = (mcp_server::units::duration(&text), mcp_server::units::bytes(&text));
        prop_assert_eq!(
            mcp_server::units::duration(&format!("{number}ms")),
            Ok(Duration::from_millis(number))
        );
        prop_assert_eq!(mcp_server::units::bytes(&format!("{number}KiB")), Ok(number << 10));
        Ok(())
    });
}

/// Equal arguments have equal keys, and different ones never share: seen at a tool that echoes them.
#[test]
fn different_arguments_never_share_a_result() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = server();
    let number =
        prop_oneof![Just(0.0), Just(-0.0), any::<f64>().prop_filter("finite", |number| number.is_finite())];
    let strategy = (
        proptest::option::of("\\PC{0,6}"),
        proptest::option::of(number),
        proptest::option::of(-3_i64..3),
        vec(any_json(), 0..3),
    );
    for_a_while(strategy, |(text, number, whole, list)| {
        let arguments = json!({ "text": text, "number": number, "whole": whole, "list": list });
        let called = runtime.block_on(server.call_tool("echo", arguments.clone())).unwrap();
        let echoed = called.result["structuredContent"].to_string();
        let expected = json!([text, number, whole, list]).to_string();
        // What is equal as a number is one call: 0.0 and -0.0.
        prop_assert_eq!(echoed.replace("-0.0", "0.0"), expected.replace("-0.0", "0.0"));
        Ok(())
    });
}

/// A client that sends anything and reads whatever comes.
struct Raw(Wire, u64);

impl Raw {
    async fn connect(server: &Server, revision: &str) -> Self {
        let mut wire = Self(Wire::connect(server, revision).await.unchecked(), 0);
        wire.is_alive(revision).await;
        wire
    }

    async fn send(&mut self, line: &str) {
        if std::env::var_os("MCP_FUZZ_TRACE").is_some() {
            println!("{line}");
        }
        self.0.send_raw(line).await;
        self.1 += 1;
        if self.1.is_multiple_of(20) {
            self.0.drain().await;
        }
    }

    /// Panics where the server does not answer, or answers something else than it should.
    async fn is_alive(&mut self, revision: &str) {
        let result = self.0.call("echo", json!({ "whole": 7 })).await;
        assert_eq!(result["content"][0]["text"], "[null,null,7,[]]", "{revision}");
    }
}
