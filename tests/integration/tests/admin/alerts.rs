//! Alerts that are posted to a URL.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use mcp_server::serde_json::{self, Value, json};
use mcp_server::{Config, Server, tokio};

use super::components::server;

/// How long what must come may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was posted: the head, and the message.
type Posted = (String, Value);

/// Listens for posts, and answers them with these statuses and then 204.
fn receiver(mut statuses: Vec<u16>) -> (String, Receiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks/s3cret?key=s3cret", listener.local_addr().unwrap());
    let (posted, all) = channel();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let status = if statuses.is_empty() { 204 } else { statuses.remove(0) };
            if posted.send(take(stream, status)).is_err() {
                return;
            }
        }
    });
    (url, all)
}

fn take(stream: TcpStream, status: u16) -> Posted {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0);
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap()];
    reader.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.into_inner().write_all(answer.as_bytes()).unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

fn alerting(url: &str) -> Server {
    let mut config = Config::default();
    config.alert_webhook = Some(url.to_owned());
    server(config)
}

async fn wait(server: &Server, ms: u64) {
    server.call_tool("wait", json!({ "ms": ms })).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_call_is_posted_and_the_next_says_how_many_were_kept_back() {
    let (url, posted) = receiver(Vec::new());
    let server = alerting(&url);
    server.rmcp().unwrap();
    for _ in 0..3 {
        wait(&server, 60).await;
    }
    let (head, message) = posted.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("POST /hooks/s3cret?key=s3cret HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/json\r\n"), "{head}");
    assert_eq!((&message["server"], &message["component"]), (&json!("admin"), &json!("tool wait")));
    assert_eq!(
        (&message["why"], &message["outcome"], &message["suppressed"]),
        (&json!("slow"), &json!("ok"), &json!(0))
    );
    assert!(message["wall_ns"].as_u64().unwrap() >= 60_000_000, "{message}");
    assert!(message["place"].as_str().unwrap().contains("admin/components.rs:"), "{message}");
    assert!(message["found"].is_array() && message["id"].is_string());
    let keys: Vec<_> = message.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected =
        ["server", "component", "why", "outcome", "wall_ns", "place", "found", "suppressed", "id", "at_ms"];
    let mut found = keys.clone();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);

    // A call that hangs is told of though the minute is not over, and says what was kept back.
    let hangs = async { tokio::time::timeout(Duration::from_secs(10), wait(&server, 60_000)).await };
    let told = tokio::task::spawn_blocking(move || posted.recv_timeout(PATIENCE).unwrap());
    let (message, _) = tokio::join!(
        async {
            let (_, message) = told.await.unwrap();
            message
        },
        async { drop(tokio::time::timeout(Duration::from_secs(4), hangs).await) },
    );
    assert_eq!(
        (&message["why"], &message["outcome"], &message["suppressed"]),
        (&json!("hangs"), &Value::Null, &json!(2))
    );
    assert_eq!(message["found"][0]["kind"], "hangs", "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_is_not_taken_is_posted_once_more() {
    let (url, posted) = receiver(vec![500]);
    let server = alerting(&url);
    server.rmcp().unwrap();
    wait(&server, 60).await;
    let (_, first) = posted.recv_timeout(PATIENCE).unwrap();
    let start = Instant::now();
    let (_, second) = posted.recv_timeout(PATIENCE).unwrap();
    assert_eq!(first, second);
    assert!(start.elapsed() > Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(server.report().unwrap().dropped.alerts, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_never_answers_delays_no_call_and_what_it_misses_is_counted() {
    // It accepts nothing: the system takes the connection, and nobody reads.
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = alerting(&format!("http://{}/", hole.local_addr().unwrap()));
    server.rmcp().unwrap();
    wait(&server, 60).await;
    let start = Instant::now();
    let mut longest = Duration::ZERO;
    let mut lost = 0;
    while lost == 0 && start.elapsed() < PATIENCE {
        let call = Instant::now();
        server.call_tool("add", json!({ "a": 1, "b": 2 })).await.unwrap();
        longest = longest.max(call.elapsed());
        lost = server.report().unwrap().dropped.alerts;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(lost, 1, "after two attempts it is given up");
    assert!(start.elapsed() > Duration::from_secs(8), "{:?}", start.elapsed());
    // Two seconds would be its deadline; the other is what a busy machine takes.
    assert!(longest < Duration::from_millis(500), "{longest:?}");
}

#[test]
fn a_url_that_cannot_be_used_is_named_without_its_secrets() {
    for url in ["s3cret", "ftp://host/s3cret", "http://user:s3cret@host/", "https://host/s3cret"] {
        if url.starts_with("https") && mcp_server::Server::builder().config(with(url)).report().is_ok() {
            // The feature `webhook-tls` is on.
            continue;
        }
        let error = alerting(url).report().unwrap_err().to_string();
        assert!(error.starts_with("`alert_webhook` ") && !error.contains("s3cret"), "{error}");
    }
}

fn with(url: &str) -> Config {
    let mut config = Config::default();
    config.alert_webhook = Some(url.to_owned());
    config
}
