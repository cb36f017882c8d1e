//! A hit is, byte for byte, what the miss answered.

use std::time::Duration;

use harness::{Http, LEGACY, MODERN, REVISIONS, request_meta};
use mcp_server::serde_json::{self, Value, json};
use mcp_server::{Server, rmcp::ServiceExt as _};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf};

use super::contents::{requests, rmcp_result};
use super::lab::{Bench, SECOND, server};

/// A client that looks at lines as they are; every request has the same id.
struct Lines {
    revision: &'static str,
    lines: tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
    write: WriteHalf<DuplexStream>,
}

impl Lines {
    async fn connect(server: &Server, revision: &'static str) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let handler = server.rmcp().unwrap();
        tokio::spawn(async move { handler.serve(tokio::io::split(theirs)).await.unwrap().waiting().await });
        let (read, write) = tokio::io::split(ours);
        let mut lines = Self { revision, lines: BufReader::new(read).lines(), write };
        if revision != MODERN {
            let hello = json!({
                "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "lines", "version": "1" },
            });
            lines.line("initialize", hello).await;
            lines.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        }
        lines
    }

    /// Sends a request and returns the line that answers it.
    async fn line(&mut self, method: &str, mut params: Value) -> String {
        if self.revision == MODERN {
            params["_meta"] = request_meta(&json!({}));
        }
        self.send(&json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })).await;
        let line = tokio::time::timeout(Duration::from_secs(20), self.lines.next_line()).await;
        let line = line.expect("a line in time").unwrap().unwrap();
        assert!(!line.contains("\"error\":{"), "{method} {params}: {line}");
        line
    }

    async fn send(&mut self, message: &Value) {
        self.write.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn p09_a_hit_is_byte_for_byte_what_the_miss_answered_for_every_kind_on_every_revision() {
    for revision in REVISIONS {
        let bench = Bench::new();
        let mut client = Lines::connect(&bench.server, revision).await;
        for (method, params) in requests() {
            let misses = bench.stats().computed;
            let miss = client.line(method, params.clone()).await;
            assert_eq!(bench.stats().computed, misses + 1, "{revision} {params}");
            for again in 0..2 {
                let hits = bench.stats().memory;
                let hit = client.line(method, params.clone()).await;
                assert_eq!(bench.stats().memory, hits + 1, "{revision} {params}");
                assert_eq!(hit, miss, "{revision}, hit {again}");
            }
        }
    }
}

#[tokio::test]
async fn p09_what_one_revision_computed_every_other_gets_in_its_own_form() {
    // What each revision answers without the others.
    let mut alone = Vec::new();
    for revision in REVISIONS {
        let bench = Bench::new();
        let mut client = Lines::connect(&bench.server, revision).await;
        let mut lines = Vec::new();
        for (method, params) in requests() {
            lines.push(client.line(method, params).await);
        }
        alone.push(lines);
    }
    for first in [MODERN, "2024-11-05"] {
        let bench = Bench::new();
        let mut filler = Lines::connect(&bench.server, first).await;
        for (method, params) in requests() {
            filler.line(method, params).await;
        }
        let computed = bench.stats().computed;
        for (revision, expected) in REVISIONS.into_iter().zip(&alone) {
            let mut client = Lines::connect(&bench.server, revision).await;
            for ((method, params), expected) in requests().into_iter().zip(expected) {
                assert_eq!(&client.line(method, params).await, expected, "{revision} after {first}");
            }
        }
        assert_eq!(bench.stats().computed, computed, "all were hits");
    }
}

#[tokio::test]
async fn p09_only_the_life_that_is_left_differs_as_time_goes_by() {
    let bench = Bench::new();
    let mut client = Lines::connect(&bench.server, MODERN).await;
    for (method, params) in requests() {
        let miss = client.line(method, params.clone()).await;
        bench.clock.advance(SECOND);
        let hit = client.line(method, params).await;
        assert_eq!(hit, miss.replace("\"ttlMs\":100000", "\"ttlMs\":99000"));
        assert_eq!(hit != miss, method == "resources/read");
    }
}

#[tokio::test]
async fn p09_over_http_as_well_in_both_eras() {
    let (server, _, _) = server(|_| {});
    let cache = server.cache().unwrap();
    let http = Http::serve(server).await;
    let bodies = |text: &str| -> Vec<String> {
        // An event has an id of its own; its data is the message.
        let data: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("data:")).collect();
        if data.is_empty() { vec![text.to_owned()] } else { data.into_iter().map(str::to_owned).collect() }
    };
    for (method, params) in requests() {
        let miss = http.request(method, params.clone()).await;
        let hit = http.request(method, params).await;
        assert_eq!(bodies(&hit.text), bodies(&miss.text));
        hit.result();
    }
    let all = requests().len() as u64;
    assert_eq!((cache.stats().computed, cache.stats().memory), (all, all));

    let session = http.initialize(&json!({})).await;
    cache.clear().await;
    for (method, params) in requests() {
        let miss = http.request_in(&session, method, params.clone()).await;
        let hit = http.request_in(&session, method, params).await;
        let message = |reply: &harness::http::Reply| reply.answer().to_string();
        assert_eq!(message(&hit), message(&miss), "{LEGACY}");
    }
    assert_eq!((cache.stats().computed, cache.stats().memory), (2 * all, 2 * all));
}

#[tokio::test]
async fn p09_nothing_of_a_result_of_rmcp_is_lost_on_its_way() {
    let bench = Bench::new();
    let mut expected = serde_json::to_value(rmcp_result()).unwrap();
    for way in ["computed", "memory"] {
        let called = bench.server.call_tool("kind_rmcp", json!({})).await.unwrap();
        assert_eq!(called.cache.word(), way);
        let mut result = called.result;
        for either in [&mut result, &mut expected] {
            // What is written only where it is not what it would be without it.
            either
                .as_object_mut()
                .unwrap()
                .retain(|key, value| key != "resultType" && !(key == "isError" && *value == json!(false)));
        }
        assert_eq!(result, expected, "{way}");
    }
}
