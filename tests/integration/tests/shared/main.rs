//! Servers that share results: what one computes the others have, and what one invalidates none serves.
//!
//! They share the Redis and the PostgreSQL that `MCP_TEST_REDIS_URL` and `MCP_TEST_POSTGRES_URL` name, or those of
//! this machine, or a SQLite file.

#![allow(unreachable_pub, missing_docs, dead_code, reason = "these are tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests"
)]

#[path = "../protocol/components.rs"]
mod components;

mod canaries;

use std::path::PathBuf;
use std::process::{Command, Output};

use harness::{LEGACY, Wire};
use mcp_server::serde_json::{self, Value, json};
use mcp_server::{Config, Server, tokio};

fn redis() -> String {
    std::env::var("MCP_TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned())
}

fn postgres() -> String {
    let url = std::env::var("MCP_TEST_POSTGRES_URL");
    url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

const REDIS: &str = "MCP_CACHE_REDIS_URL";

/// An application that no other test has.
fn application(test: &str) -> String {
    format!("test {test} {} {}", std::process::id(), std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos())
}

fn node(application: &str) -> Server {
    let mut config = Config::default();
    config.cache_redis_url = Some(redis());
    config.cache_secret = Some("a secret of these tests".to_owned());
    config.cache_application = Some(application.to_owned());
    components::server().config(config)
}

#[tokio::test]
async fn what_one_computes_the_others_have_until_one_invalidates_it() {
    let application = application("computes");
    let nodes = [node(&application), node(&application), node(&application)];
    for node in &nodes {
        // Opens the node, as serving does.
        Wire::connect(node, LEGACY).await.result("ping", json!({})).await;
    }
    let from = async |node: &Server| node.read_resource("product://7").await.unwrap().cache.word().to_owned();
    assert_eq!(from(&nodes[0]).await, "computed");
    // It is stored behind the answer.
    assert!(nodes[0].cache().unwrap().drain(std::time::Duration::from_secs(20)).await);
    assert_eq!([from(&nodes[1]).await, from(&nodes[2]).await], ["shared", "shared"]);
    assert_eq!(from(&nodes[1]).await, "memory");

    let mut wire = Wire::connect(&nodes[2], LEGACY).await;
    wire.call("set_price", json!({ "id": 7, "price": 1.5 })).await;
    assert_eq!(from(&nodes[2]).await, "computed", "where it was invalidated it is never served again");
}

#[tokio::test]
async fn an_invalidation_is_told_to_the_subscribers_of_every_node() {
    let application = application("subscribers");
    let (here, there) = (node(&application), node(&application));
    let mut subscriber = Wire::connect(&there, LEGACY).await;
    subscriber.result("resources/subscribe", json!({ "uri": "product://7" })).await;
    let mut writer = Wire::connect(&here, LEGACY).await;
    writer.call("set_price", json!({ "id": 7, "price": 1.5 })).await;
    let told = subscriber.notification("notifications/resources/updated").await;
    assert_eq!(told["params"]["uri"], "product://7");
}

/// A folder and an application of one test's own, for processes.
struct Place {
    folder: PathBuf,
    application: String,
    /// What names the level that is shared.
    variable: &'static str,
    url: String,
}

impl Place {
    fn new(test: &str) -> Self {
        Self::with(test, REDIS, redis())
    }

    fn with(test: &str, variable: &'static str, url: String) -> Self {
        let folder = std::env::temp_dir().join(format!("mcp-shared-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, application: application(test), variable, url }
    }

    fn with_database(test: &str, url: &str) -> Self {
        Self::with(test, "MCP_CACHE_DATABASE_URL", url.to_owned())
    }

    fn run(&self, arguments: &[&str], (variable, url): (&str, &str)) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_served"));
        command.args(arguments).current_dir(&self.folder).env("XDG_RUNTIME_DIR", &self.folder);
        command.env(variable, url).env("MCP_CACHE_SECRET", "a secret of these tests");
        command.env("MCP_CACHE_APPLICATION", &self.application).output().unwrap()
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, (self.variable, &self.url));
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(arguments)).unwrap()
    }

    /// Returns where the first of two calls came from.
    fn from(&self) -> String {
        let text = self.text(&["read", "product://7", "--times", "2"]);
        text.lines().find_map(|line| line.strip_prefix("1: ")?.split(',').next()).unwrap().to_owned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn reached_from_any_process(place: &Place, level: &str) {
    assert_eq!([place.from(), place.from()], ["computed", level]);
    let kept = place.json(&["cache", "get", "product://7", "--json"]);
    let below = &kept[0]["answer"]["levels"][0];
    assert_eq!((below["level"].as_str(), below["kept"].as_bool()), (Some(level), Some(true)), "{kept}");
    assert!(below["fresh_for_ms"].as_u64().unwrap() <= 300_000);

    place.text(&["cache", "invalidate", "--uri", "product://7"]);
    assert_eq!([place.from(), place.from()], ["computed", level]);
    place.text(&["cache", "clear"]);
    assert_eq!(place.from(), "computed");
    let stats = place.json(&["cache", "stats", "--json"]);
    assert_eq!(stats[0]["answer"]["levels"][0]["up"], true, "{stats}");
}

#[test]
fn processes_share_a_redis_and_the_command_line_reaches_it_from_any() {
    reached_from_any_process(&Place::new("processes"), "shared");
}

#[test]
fn processes_share_a_file_and_the_command_line_reaches_it_from_any() {
    let place = Place::with_database("file", "sqlite://results.db");
    reached_from_any_process(&place, "database");
    let did: Vec<String> = serde_json::from_value(place.json(&["optimize", "--json"])).unwrap();
    assert!(did.iter().any(|sentence| sentence.contains("expired")), "{did:?}");
}

#[test]
fn processes_share_a_postgres_and_the_command_line_reaches_it_from_any() {
    reached_from_any_process(&Place::with_database("postgres", &postgres()), "database");
}

#[test]
fn recorded_calls_warm_what_others_find() {
    let place = Place::new("warm");
    let request = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let lines = [
        request("resources/read", json!({ "uri": "product://7" })),
        request("resources/read", json!({ "uri": "product://7" })),
        request("tools/list", json!({})),
        request("tools/call", json!({ "name": "nothing" })),
    ];
    let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
    std::fs::write(place.folder.join("calls.jsonl"), lines.join("\n")).unwrap();
    let output = place.run(&["cache", "warm", "calls.jsonl"], (REDIS, &redis()));
    assert!(!output.status.success(), "one of them failed");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, "1 computed, 1 were there, 0 are not cached, 1 failed, 1 lines are no calls\n");
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("line 4: "));
    assert_eq!(place.from(), "shared");
}

#[test]
fn calls_succeed_where_nothing_listens() {
    let place = Place::new("nobody");
    let output = place.run(&["read", "product://7", "--times", "2"], (REDIS, "redis://127.0.0.1:1"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("1: computed, ") && text.contains("2: memory, "),
        "{text}"
    );
}

#[test]
fn a_url_that_cannot_be_used_is_named_without_its_password() {
    let place = Place::new("url");
    let output = place.run(&["call", "products"], (REDIS, "rdis://user:hunter2@host"));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("`cache_redis_url`"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}
