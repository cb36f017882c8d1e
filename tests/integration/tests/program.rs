//! The server as a program: its command line, its settings, and a real client of it.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use harness::program::{self, Running};
use mcp_server::serde_json::{self, Value, json};
use mcp_server::tokio;
use rmcp::ServiceExt as _;
use rmcp::model::{CallToolRequestParams, ReadResourceRequestParams};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};

/// A folder of one test's own.
struct Place(program::Place);

impl Place {
    fn new(name: &str) -> Self {
        Self(program::Place::new(&format!("program-{name}")))
    }

    /// Serves HTTP until what is returned is dropped.
    fn served(&self, flags: &[&str]) -> Running {
        Running::http(|arguments| self.command(arguments), &[&["--log", "error"], flags].concat())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.0.command(env!("CARGO_BIN_EXE_served"), arguments)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(arguments)).unwrap()
    }

    fn error(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.0.join(file), text).unwrap();
    }
}

#[test]
fn the_second_call_comes_from_memory() {
    let place = Place::new("times");
    let text = place.text(&["call", "products", "--times", "2"]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "[{\"id\":7,\"name\":\"hammer\"}]");
    assert!(lines[1].starts_with("1: computed, ") && lines[2].starts_with("2: memory, "), "{text}");
    let text = place.text(&["read", "product://7", "--times", "2"]);
    assert!(text.contains("1: computed, ") && text.contains("2: memory, "), "{text}");
    let off = place.text(&["call", "products", "--times", "2", "--cache-enabled", "false"]);
    assert!(off.contains("2: bypass, "), "{off}");
}

#[test]
fn one_call_prints_its_result_or_all_of_it() {
    let place = Place::new("call");
    assert_eq!(place.text(&["call", "add", r#"{"a":2,"b":3}"#]), "5\n");
    assert_eq!(place.json(&["call", "add", r#"{"a":2,"b":3}"#, "--json"])["content"][0]["text"], "5");
    // More than text is shown whole.
    let got: Value = serde_json::from_str(&place.text(&["prompt", "review", r#"{"code":"x"}"#])).unwrap();
    assert_eq!(got["messages"][0]["content"]["text"], "Review this code: x");
    assert_eq!(place.json(&["read", "test://logo", "--json"])["contents"][0]["blob"], "iVBORwD/");
}

#[test]
fn a_mistake_on_the_command_line_says_what_to_write() {
    let place = Place::new("mistakes");
    for (arguments, code, expected) in [
        (&["call", "add", "{\"a\":1}"][..], 1, "missing field `b`; it takes `a` (integer), `b` (integer)"),
        (&["call", "add", "[1]"], 1, "write a JSON object"),
        (&["call", "add", "{"], 1, "the arguments are no JSON"),
        (&["call", "ad"], 1, "no tool `ad`: `list` shows what there is"),
        (&["read", "nothing://1"], 1, "no resource `nothing://1`"),
        (&["cal"], 2, "a similar subcommand exists: 'call'"),
        (
            &["list", "--cache-duration", "soon"],
            1,
            "--cache-duration: `cache_duration`: `soon` is no duration",
        ),
        (&["serve", "--http", "nowhere:x"], 1, "cannot listen at `nowhere:x`"),
        (&["stats"], 1, "no server named `served` runs or has run"),
        (&["cache", "clear"], 1, "no server named `served` runs"),
        (&["serve", "--enabled", "false"], 1, "this server is switched off"),
    ] {
        let (found, text) = place.error(arguments);
        assert!(found == code && text.contains(expected), "{arguments:?}: {found}: {text}");
    }
}

#[test]
fn the_list_shows_policies_and_places() {
    let place = Place::new("list");
    let text = place.text(&["list"]);
    let products = text.lines().find(|line| line.contains("products")).unwrap();
    assert!(products.contains("60s public") && products.contains("components.rs:"), "{products}");
    let list = place.json(&["list", "--json"]);
    let products = list["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == "products").unwrap();
    assert_eq!(
        (&products["cache"]["ttlMs"], &products["cache"]["scope"]),
        (&json!(60_000), &json!("public"))
    );
    assert!(products["declared"]["file"].as_str().unwrap().ends_with("components.rs"));
    assert_eq!(list["resourceTemplates"][0]["uriTemplate"], "product://{id}");
}

#[test]
fn a_file_a_variable_and_a_flag_override_each_other() {
    let place = Place::new("settings");
    place.write("mcp.toml", "[cache]\nduration = \"10s\"\nmemory_bytes = \"1MiB\"\n[app]\nanything = 1\n");
    let row = |arguments: &[&str], variable: Option<&str>, key: &str| {
        let mut command = place.command(arguments);
        command.envs(variable.map(|value| ("MCP_CACHE_DURATION", value)));
        let output = command.output().unwrap();
        let all: Value = serde_json::from_slice(&output.stdout).unwrap();
        (all[key]["value"].as_str().unwrap().to_owned(), all[key]["from"].as_str().unwrap().to_owned())
    };
    let pair = |value: &str, from: &str| (value.to_owned(), from.to_owned());
    assert_eq!(row(&["config", "--json"], None, "cache_duration"), pair("10s", "mcp.toml"));
    assert_eq!(row(&["config", "--json"], Some("20s"), "cache_duration"), pair("20s", "environment"));
    let flag = ["config", "--json", "--cache-duration", "30s"];
    assert_eq!(row(&flag, Some("20s"), "cache_duration"), pair("30s", "flag"));
    assert_eq!(row(&flag, None, "max_concurrency"), pair("1024", "default"));

    place.write("mcp.toml", "cache_duratoin = 5\n[app\n");
    assert!(place.error(&["list"]).1.contains("mcp.toml: "));
    place.write("mcp.toml", "cache_duratoin = 5\n");
    let (code, text) = place.error(&["list"]);
    assert!(
        code == 1 && text.contains("unknown setting `cache_duratoin`; did you mean `cache_duration`?"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_shows_its_figures_and_its_cache() {
    let place = Place::new("stats");
    let running = place.served(&[]);
    let client = ().serve(StreamableHttpClientTransport::from_uri(running.1.clone())).await.unwrap();
    for _ in 0..3 {
        client.call_tool(CallToolRequestParams::new("products")).await.unwrap();
    }
    let stats = place.json(&["stats", "--json"]);
    let figures = &stats[0]["report"]["components"][0];
    assert_eq!(
        (&stats[0]["running"], &figures["name"], &figures["windows"]["start"]["calls"]),
        (&json!(true), &json!("products"), &json!(3))
    );
    assert_eq!(figures["windows"]["start"]["cache"], json!({ "memory": 2, "computed": 1 }));
    assert!(place.text(&["stats", "products"]).contains("results: memory 2 (66.7 %), computed 1 (33.3 %)"));

    let kept = || place.json(&["cache", "get", "products", "--json"])[0]["answer"]["kept"].clone();
    assert_eq!(kept(), true);
    place.text(&["cache", "invalidate", "--tag", "products"]);
    assert_eq!(kept(), false);
    client.call_tool(CallToolRequestParams::new("products")).await.unwrap();
    assert_eq!(kept(), true);
    place.text(&["cache", "clear"]);
    assert_eq!(kept(), false);
    assert_eq!(place.json(&["cache", "stats", "--json"])[0]["answer"]["computed"], 2);

    client.cancel().await.unwrap();
    assert!(running.terminate(), "a server that is told to stop ends well");
    let stats = place.json(&["stats", "--json"]);
    assert_eq!(
        (&stats[0]["running"], &stats[0]["report"]["components"][0]["windows"]["start"]["calls"]),
        (&json!(false), &json!(4))
    );
}

#[tokio::test]
async fn what_was_measured_outlives_the_process_in_redis() {
    let place = Place::new("hours");
    let redis = std::env::var("MCP_TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    let application = format!("program-hours-{}", std::process::id());
    place.write("mcp.toml", &format!("redis_url = \"{redis}\"\ncache_application = \"{application}\"\n"));
    for _ in 0..2 {
        let running = place.served(&[]);
        four_calls(&running).await;
        assert!(running.terminate());
    }
    let hours = place.json(&["stats", "--hours", "2", "--json", "products"]);
    let sum = |of: fn(&Value) -> &Value| -> u64 {
        hours.as_array().unwrap().iter().map(|hour| of(hour).as_u64().unwrap()).sum()
    };
    assert_eq!(sum(|hour| &hour["window"]["calls"]), 6, "{hours}");
    assert_eq!(sum(|hour| &hour["instances"]), 2);
    let text = place.text(&["stats", "--hours", "2"]);
    assert!(text.contains("tool products") && text.contains("tool fail"), "{text}");
    let (code, error) = Place::new("no-history").error(&["stats", "--hours", "2"]);
    assert!(code == 1 && error.contains("MCP_REDIS_URL"), "{error}");
}

/// Calls a tool three times that is cached, and one that panics.
async fn four_calls(running: &Running) {
    let client = ().serve(StreamableHttpClientTransport::from_uri(running.1.clone())).await.unwrap();
    for _ in 0..3 {
        client.call_tool(CallToolRequestParams::new("products")).await.unwrap();
    }
    let arguments = json!({ "how": "panic" }).as_object().cloned().unwrap();
    let _ = client.call_tool(CallToolRequestParams::new("fail").with_arguments(arguments)).await;
    client.cancel().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_three_forms_while_the_server_runs_and_after_it() {
    let place = Place::new("report");
    let running = place.served(&[]);
    four_calls(&running).await;

    for state in ["runs", "ended"] {
        let text = place.text(&["stats"]);
        assert!(text.starts_with("served ") && text.contains(&format!("({state})")), "{text}");
        let row = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace();
        let headings: Vec<_> = row("component").collect();
        let all = "component calls /min ok % hit % p50 p95 p99 max busy % alloc/call sql/call slow";
        assert_eq!(headings.join(" "), all);
        let products: Vec<_> = row("tool products").collect();
        assert_eq!((products[2], products[4], products[5]), ("3", "100", "66.7"), "{text}");
        let found = text.lines().find(|line| line.starts_with("- tool fail, panics")).unwrap();
        assert!(found.contains("components.rs:") && found.contains("to change: "), "{found}");
        for part in [
            "calls worth a look",
            "dropped: nothing",
            "within 1.6 %",
            "of 10.0 % of the calls",
            "allocations: counted",
            "SQL: on",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains('\u{1b}'));

        let detail = place.text(&["stats", "fail"]);
        assert!(
            detail.contains("outcomes: panic 1 (100 %)")
                && detail.contains("phases: ")
                && detail.contains("tool fail, failed: panic")
        );
        assert!(!detail.contains("products"), "{detail}");

        let markdown = place.text(&["stats", "--format", "markdown", "--window", "5m"]);
        let rows: Vec<_> = markdown.lines().filter(|line| line.starts_with('|')).collect();
        assert!(rows.len() == 4 && rows.iter().all(|row| row.matches('|').count() == 14), "{markdown}");

        for form in [&["stats", "--json"][..], &["stats", "--format", "json"]] {
            let all = place.json(form);
            assert_eq!(all[0]["running"], state == "runs");
            let report: mcp_server::profile::Report =
                serde_json::from_value(all[0]["report"].clone()).unwrap();
            assert_eq!(report.components.len(), 2);
            assert!(report.findings.iter().any(|finding| finding.kind == "panics"), "{:?}", report.findings);
        }
        let one = place.json(&["stats", "fail", "--json"]);
        assert_eq!(one[0]["report"]["components"].as_array().unwrap().len(), 1);
        let (code, error) = place.error(&["stats", "nothing"]);
        assert!(
            code == 1
                && error.contains("no component named `nothing` was called: called were `fail`, `products`"),
            "{error}"
        );

        let narrow = place.command(&["stats"]).env("COLUMNS", "60").output().unwrap();
        let narrow = String::from_utf8(narrow.stdout).unwrap();
        assert!(
            narrow.contains("not shown in 60 columns: ")
                && narrow.lines().all(|line| line.chars().count() <= 60),
            "{narrow}"
        );
        if state == "runs" {
            let _ = Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap();
            while place.text(&["stats"]).contains("(runs)") {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_view_goes_on_until_it_is_told_to_stop_or_the_server_ends() {
    let place = Place::new("top");
    let (code, error) = place.error(&["top"]);
    assert!(code == 1 && error.contains("no server named `served` runs: start one with `serve`"), "{error}");
    assert_eq!(place.error(&["top", "--every", "1ms"]).0, 2);

    let running = place.served(&[]);
    four_calls(&running).await;
    let once = place.text(&["top", "--once"]);
    assert!(
        once.contains("last 1m: 4 calls") && once.contains("tool products") && !once.contains("\n\n"),
        "{once}"
    );
    assert!(place.text(&["top", "--once", "--window", "start"]).contains("since the start: 4 calls"));

    let watching = || {
        place
            .command(&["top", "--every", "1s"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let interrupted = watching();
    std::thread::sleep(Duration::from_millis(3_300));
    assert!(Command::new("kill").args(["-INT", &interrupted.id().to_string()]).status().unwrap().success());
    let output = interrupted.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let tables: Vec<_> = text.split("\n\n").collect();
    assert!(output.status.success() && (3..=4).contains(&tables.len()), "{} {text}", output.status);
    assert!(
        tables.iter().all(|table| table.starts_with("served ") && table.contains("tool products")),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));

    let left = watching();
    std::thread::sleep(Duration::from_millis(1_200));
    assert!(running.terminate());
    let output = left.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("the server `served` has ended"),
        "{} {said}",
        output.status
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_ask_what_was_measured_where_a_flag_says_so() {
    let place = Place::new("asked");
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_served"));
    child
        .args(["--profiler-tools", "true"])
        .current_dir(&*place.0)
        .env("XDG_RUNTIME_DIR", place.0.join("run"));
    let client = ().serve(TokioChildProcess::new(child).unwrap()).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    assert_eq!(tools.iter().filter(|tool| tool.name.starts_with("profile_")).count(), 4);
    client.call_tool(CallToolRequestParams::new("products")).await.unwrap();
    let answer = client.call_tool(CallToolRequestParams::new("profile_summary")).await.unwrap();
    let text = &answer.content[0].as_text().unwrap().text;
    assert!(text.contains("tool products: 1 call,"), "{text}");
    assert_eq!(answer.structured_content.unwrap()["components"][0]["name"], "products");
    client.cancel().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rmcps_client_lists_and_calls_over_stdio_and_http() {
    let place = Place::new("client");
    let running = place.served(&[]);
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_served"));
    child.current_dir(&*place.0).env("XDG_RUNTIME_DIR", place.0.join("run"));
    let stdio = ().serve(TokioChildProcess::new(child).unwrap()).await.unwrap();
    let http = ().serve(StreamableHttpClientTransport::from_uri(running.1.clone())).await.unwrap();
    for client in [stdio, http] {
        let tools = client.list_all_tools().await.unwrap();
        assert!(tools.iter().any(|tool| tool.name == "add") && tools.len() == 15);
        assert_eq!(client.list_all_resources().await.unwrap().len(), 5);
        assert_eq!(client.list_all_prompts().await.unwrap().len(), 2);
        let arguments = json!({ "a": 2, "b": 3 }).as_object().cloned().unwrap();
        let sum =
            client.call_tool(CallToolRequestParams::new("add").with_arguments(arguments)).await.unwrap();
        assert_eq!(sum.content[0].as_text().unwrap().text, "5");
        let read = client.read_resource(ReadResourceRequestParams::new("product://7")).await.unwrap();
        assert_eq!(read.contents.len(), 1);
        client.cancel().await.unwrap();
    }
}

#[test]
fn stdout_carries_messages_only_and_the_end_of_stdin_ends_the_server() {
    let place = Place::new("stdout");
    let mut child = place
        .command(&["--log", "trace"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    for message in [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "fail", "arguments": { "how": "panic" } } }),
        json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": { "name": "fail", "arguments": { "how": "hidden" } } }),
    ] {
        writeln!(stdin, "{message}").unwrap();
    }
    std::thread::sleep(Duration::from_millis(300));
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let out = String::from_utf8(output.stdout).unwrap();
    let ids: Vec<_> =
        out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert!(ids.len() == 3 && ids.contains(&json!(2)), "{out}");
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("invalid digit found in string"), "what the caller does not see is in the log");
}

#[test]
fn a_folder_that_others_may_enter_holds_no_socket() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new("folder");
    let folder = place.0.join("run/mcp-server");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let running = place.served(&[]);
    assert_eq!(std::fs::read_dir(Path::new(&folder)).unwrap().count(), 0);
    assert!(running.terminate());
}
