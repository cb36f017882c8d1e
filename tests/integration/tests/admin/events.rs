//! What the page is told while it is open.

use std::time::{Duration, Instant};

use mcp_server::serde_json::{self, Value, json};
use mcp_server::tokio;
use reqwest::{Method, Response};

use super::lab::Lab;

/// A reader of events.
struct Reader {
    response: Response,
    read: Vec<u8>,
}

impl Reader {
    async fn open(lab: &Lab) -> Self {
        let response = lab.request(Method::GET, "/dashboard/events").send().await.unwrap();
        Self { response, read: Vec::new() }
    }

    /// Returns the next block of lines; `None` where the answer ends.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let block = self.read.drain(..end + 2).collect();
                return Some(String::from_utf8(block).unwrap().trim_end().to_owned());
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await;
            self.read.extend_from_slice(&chunk.expect("an event within its time").unwrap()?);
        }
    }

    /// Returns the next report.
    async fn report(&mut self) -> Value {
        let block = self.block().await.expect("a report");
        let data = block.strip_prefix("event: report\ndata: ").unwrap_or_else(|| panic!("{block}"));
        serde_json::from_str(data).unwrap()
    }
}

fn names(report: &Value) -> Vec<&str> {
    report["components"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_whole_comes_at_once_and_then_what_changes() {
    let lab = Lab::new().await;
    lab.call("double", json!({ "a": 2 })).await;
    lab.call("add", json!({ "a": 2, "b": 2 })).await;
    let start = Instant::now();
    let mut reader = Reader::open(&lab).await;
    assert_eq!(reader.response.headers()["content-type"], "text/event-stream");
    assert_eq!(reader.response.headers()["cache-control"], "no-store");
    assert_eq!(reader.block().await.unwrap(), "retry: 2000");
    let first = reader.report().await;
    assert!(start.elapsed() < Duration::from_millis(1_500), "{:?}", start.elapsed());
    assert_eq!(names(&first), ["add", "double"]);

    lab.call("double", json!({ "a": 2 })).await;
    let mut seen = Vec::new();
    let mut empty = 0;
    for _ in 0..4 {
        let report = reader.report().await;
        assert_eq!(report["server"], "admin", "the rest is whole: {report}");
        assert!(report["runtime"].is_object() && report["cache"].is_object());
        empty += usize::from(names(&report).is_empty());
        seen.extend(report["components"].as_array().unwrap().clone());
    }
    let calls = |name: &str| {
        let last = seen.iter().rfind(|component| component["name"] == name)?;
        last["windows"]["start"]["calls"].as_u64()
    };
    assert_eq!(calls("double"), Some(2), "{seen:?}");
    assert!(empty > 0, "where nothing changed nothing is told");
    assert!(start.elapsed() > Duration::from_secs(3), "once a second");

    // Another reader has the whole first, too, though reports are being made.
    let mut other = Reader::open(&lab).await;
    assert_eq!(other.block().await.unwrap(), "retry: 2000");
    assert_eq!(names(&other.report().await), ["add", "double"]);
}

#[tokio::test]
async fn sixteen_may_read_and_a_place_is_free_again_when_one_goes() {
    let lab = Lab::new().await;
    let mut readers = Vec::new();
    for _ in 0..16 {
        let mut reader = Reader::open(&lab).await;
        assert_eq!(reader.response.status(), 200);
        reader.block().await;
        readers.push(reader);
    }
    let refused = lab.get("/dashboard/events").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    assert!(refused.text().starts_with("too many readers"), "{}", refused.text());
    // A look at the head takes no place.
    let head = super::lab::send(lab.request(Method::HEAD, "/dashboard/events")).await;
    assert_eq!((head.status, head.header("content-type")), (200, "text/event-stream"));

    drop(readers.pop());
    super::lab::until("a place is free", async || {
        lab.request(Method::GET, "/dashboard/events").send().await.unwrap().status() == 200
    })
    .await;
}

#[tokio::test]
async fn the_events_end_when_the_server_stops() {
    let lab = Lab::new().await;
    let mut reader = Reader::open(&lab).await;
    reader.block().await;
    reader.report().await;
    lab.server.stop();
    let start = Instant::now();
    while reader.block().await.is_some() {}
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn nothing_is_made_where_nobody_reads() {
    let lab = Lab::new().await;
    lab.get("/healthz").await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    // The tasks of the client's connection come and go.
    let mut reader = Reader::open(&lab).await;
    reader.block().await;
    let with_reader = tasks();
    drop(reader);
    super::lab::until("the maker of reports has ended", async || tasks() + 2 <= with_reader).await;
}
