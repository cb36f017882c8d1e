//! Where the routes are, and where they are not.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use mcp_server::serde_json::{self, Value, json};
use mcp_server::{Config, Server, tokio};

use super::components::server;
use super::lab::{Lab, TOKEN, send, until};

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn config(admin: Option<&str>, token: Option<&str>) -> Config {
    let mut config = Config::default();
    config.admin = admin.map(ToOwned::to_owned);
    config.admin_token = token.map(ToOwned::to_owned);
    config
}

#[tokio::test]
async fn where_others_reach_the_protocol_there_is_nothing_unless_it_is_asked_for() {
    for token in [None, Some(TOKEN)] {
        let lab = Lab::of(server(config(None, token)), "0.0.0.0:0").await;
        for path in
            ["/metrics", "/dashboard", "/dashboard/report.json", "/dashboard/app.css", "/dashboard/login"]
        {
            let answer = lab.get_with(path, "authorization", &format!("Bearer {TOKEN}")).await;
            assert_eq!(answer.status, 404, "{path}");
        }
        assert_eq!(lab.get("/healthz").await.status, 200);
    }
}

#[tokio::test]
async fn an_address_of_its_own_has_the_routes_and_nothing_else() {
    let admin = format!("127.0.0.1:{}", free_port());
    let lab = Lab::of(server(config(Some(&admin), None)), "0.0.0.0:0").await;
    assert_eq!(lab.get("/healthz").await.status, 200);
    assert_eq!(lab.get("/metrics").await.status, 404);
    let there = |path: &str| send(lab.client.get(format!("http://{admin}{path}")));
    for (path, status) in [
        ("/metrics", 200),
        ("/dashboard", 200),
        ("/dashboard/report.json", 200),
        ("/mcp", 404),
        ("/healthz", 404),
    ] {
        assert_eq!(there(path).await.status, status, "{path}");
    }
    // Whoever looks is not counted among those who call.
    assert_eq!(there("/dashboard/report.json").await.json()["runtime"]["connections"], 1);
    lab.server.stop();
    until("nobody listens any more", async || tokio::net::TcpStream::connect(&admin).await.is_err()).await;
}

#[tokio::test]
async fn the_same_address_is_one_listener() {
    let address = format!("127.0.0.1:{}", free_port());
    let lab = Lab::of(server(config(Some(&address), None)), &address).await;
    assert_eq!(lab.get("/metrics").await.status, 200);
    assert_eq!(lab.get("/healthz").await.status, 200);

    let open = format!("0.0.0.0:{}", free_port());
    let lab = Lab::of(server(config(Some(&open), Some(TOKEN))), &open).await;
    assert_eq!(lab.get("/metrics").await.status, 401);
    assert_eq!(lab.get_with("/metrics", "authorization", &format!("Bearer {TOKEN}")).await.status, 200);
}

/// Returns why a server does not start.
async fn refusal(server: &Server, listener: tokio::net::TcpListener) -> String {
    let serving = server.serve_listener(listener);
    let ended = tokio::time::timeout(Duration::from_secs(5), serving).await;
    ended.expect("a refusal, and no server").unwrap_err().to_string()
}

#[tokio::test]
async fn where_others_reach_it_and_there_is_no_token_the_server_does_not_start() {
    let open = format!("0.0.0.0:{}", free_port());
    for (serves, token) in [("127.0.0.1:0", None), (&*open, None), ("127.0.0.1:0", Some("too short"))] {
        let server = server(config(Some(&open), token));
        let listener = tokio::net::TcpListener::bind(serves).await.unwrap();
        let error = refusal(&server, listener).await;
        assert!(error.contains(&open) && error.contains("set `MCP_ADMIN_TOKEN` to at least 16"), "{error}");
        assert!(error.contains("or listen at `127.0.0.1:"), "{error}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for wanted in [&*address, "9090", "no such place"] {
        let server = server(config(Some(wanted), None));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let error = refusal(&server, listener).await;
        assert!(error.starts_with(&format!("cannot listen at `{wanted}` (`admin`)")), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_mounted_has_no_routes_of_its_own_and_is_dropped_with_its_listener() {
    let admin = format!("127.0.0.1:{}", free_port());
    let server = server(config(Some(&admin), None));
    let service = server.http_service().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = send(client.get(format!("http://{admin}/metrics"))).await;
    assert_eq!(answer.status, 200);
    drop((server, service, client));
    until("nobody listens any more", async || tokio::net::TcpStream::connect(&admin).await.is_err()).await;
}

#[tokio::test]
async fn beside_stdio_the_routes_are_served_and_stdout_has_the_protocol_alone() {
    let folder = std::env::temp_dir().join(format!("mcp-admin-stdio-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let admin = format!("127.0.0.1:{}", free_port());
    let mut child = Command::new(env!("CARGO_BIN_EXE_served"))
        .args(["serve", "--admin", &admin, "--log", "trace"])
        .current_dir(&folder)
        .env("XDG_RUNTIME_DIR", &folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the server listens", async || tokio::net::TcpStream::connect(&admin).await.is_ok()).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/metrics", "/dashboard", "/dashboard/report.txt", "/dashboard/report.json", "/nothing"] {
        send(client.get(format!("http://{admin}{path}"))).await;
    }
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": harness::MODERN,
        "io.modelcontextprotocol/clientInfo": { "name": "harness", "version": "1.0.0" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({ "name": "add", "arguments": { "a": 2, "b": 3 }, "_meta": meta });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{call}").unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let answer: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(answer["result"]["content"][0]["text"], "5", "{answer}");
    let metrics = send(client.get(format!("http://{admin}/metrics"))).await;
    assert!(
        metrics
            .text()
            .contains("mcp_component_calls_total{kind=\"tool\",component=\"add\",outcome=\"ok\"} 1")
    );
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert_eq!(lines.map(Result::unwrap).collect::<Vec<_>>(), Vec::<String>::new(), "one answer and no more");
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn the_command_line_refuses_an_open_address_without_a_token() {
    let output = Command::new(env!("CARGO_BIN_EXE_served"))
        .args(["serve", "--admin", "0.0.0.0:0"])
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("error: `admin` is `0.0.0.0:"), "{error}");
    assert!(output.stdout.is_empty());
}
