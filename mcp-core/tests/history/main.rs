//! The history in Redis: those of many processes add up, and a Redis that is away costs at most hours.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mcp_core::cache::CacheOutcome;
use mcp_core::link::Item;
use mcp_core::profile::history::History;
use mcp_core::profile::{FINE, Outcome, Profiled, Profiler, ProfilerOptions};
use mcp_core::registry::Registry;
use mcp_core::tool;

/// Is called.
#[tool]
fn one() {}

/// Is called as well.
#[tool]
fn other() {}

/// The tenth of September 2001, at two o'clock.
const HOUR: u64 = 3_600_000;
const NOW: u64 = 1_000_087_200_000;

struct Node {
    registry: Registry,
    profiler: Profiler,
    history: History,
}

impl Node {
    fn new(url: &str, application: &str) -> Self {
        let registry = Registry::new([Item::Tool(one::def()), Item::Tool(other::def())]).unwrap();
        let profiler = Profiler::new(&registry, ProfilerOptions::default());
        Self { registry, profiler, history: History::open(url, application).unwrap() }
    }

    fn call(&self, name: &str, times: u64) {
        for _ in 0..times {
            let call = self.profiler.call(self.registry.tool(name).unwrap()).unwrap();
            call.end(Outcome::Ok, CacheOutcome::Memory);
        }
    }

    async fn write(&self, now: u64) {
        self.history.write(&self.profiler, now).await.unwrap();
    }

    /// Reads the calls of the last hours: hours ago, name, calls, processes.
    async fn calls(&self, hours: u64, now: u64) -> Vec<(u64, String, u64, u64)> {
        let past = self.history.read(hours, now).await.unwrap();
        past.into_iter()
            .map(|past| {
                let ago = (now / HOUR * HOUR - past.hour.begins_ms()) / HOUR;
                (ago, past.name, past.totals.calls(), past.instances)
            })
            .collect()
    }
}

fn redis() -> String {
    std::env::var("MCP_TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned())
}

/// Returns an application that no other test has.
fn application(name: &str) -> String {
    let nanos = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    format!("history-{name}-{}-{nanos}", std::process::id())
}

#[tokio::test]
async fn writing_twice_changes_nothing_and_processes_add_up() {
    let application = application("adds");
    let (a, b) = (Node::new(&redis(), &application), Node::new(&redis(), &application));
    a.call("one", 3);
    b.call("one", 4);
    b.call("other", 1);
    for _ in 0..2 {
        a.write(NOW).await;
        b.write(NOW).await;
    }
    let expected = [(0, "one".to_owned(), 7, 2), (0, "other".to_owned(), 1, 1)];
    assert_eq!(a.calls(1, NOW).await, expected);
    a.call("one", 2);
    a.write(NOW + 10_000).await;
    assert_eq!(b.calls(24, NOW).await[0], (0, "one".to_owned(), 9, 2));

    // A process that is started again is another one, and what the first wrote stays.
    drop(a);
    let again = Node::new(&redis(), &application);
    again.call("one", 1);
    again.write(NOW + 20_000).await;
    assert_eq!(b.calls(1, NOW).await[0], (0, "one".to_owned(), 10, 3));

    let client = redis::Client::open(redis()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let key = format!("mcp:{{{application}}}:h:2001091002");
    let ttl: i64 = redis::cmd("TTL").arg(&key).query_async(&mut connection).await.unwrap();
    assert!((691_000..=691_200).contains(&ttl), "{ttl}");
    let _: () = redis::cmd("DEL").arg(&key).query_async(&mut connection).await.unwrap();
}

#[tokio::test]
async fn an_hour_ends_where_it_does() {
    let node = Node::new(&redis(), &application("hours"));
    node.call("one", 5);
    node.write(NOW + HOUR - 10_000).await;
    node.call("one", 2);
    // What came since the last look belongs to the hour that it was in.
    node.write(NOW + HOUR).await;
    node.call("one", 1);
    node.write(NOW + HOUR + 10_000).await;
    let expected = [(1, "one".to_owned(), 7, 1), (0, "one".to_owned(), 1, 1)];
    assert_eq!(node.calls(2, NOW + HOUR + 10_000).await, expected);
}

#[test]
fn where_nobody_counts_allocations_none_are_told() {
    let registry = Registry::new([Item::Tool(one::def())]).unwrap();
    let profiler = Profiler::new(&registry, ProfilerOptions::default());
    profiler.call(registry.tool("one").unwrap()).unwrap().end(Outcome::Ok, CacheOutcome::Memory);
    let report = profiler.report("server", "1");
    assert!(!report.counts_allocations);
    assert!(report.components[0].windows.values().all(|window| window.allocated_bytes.is_none()));
}

#[tokio::test]
async fn the_longest_poll_is_that_of_the_hour() {
    let node = Node::new(&redis(), &application("longest"));
    let run = |took: Duration| {
        let mut call = node.profiler.call(node.registry.tool("one").unwrap()).unwrap();
        call.decoded();
        let run = std::future::poll_fn(move |_| {
            std::thread::sleep(took);
            std::task::Poll::Ready(())
        });
        let run = Profiled::new(run, Some(call.bypassed()));
        async move {
            run.await;
            call.end(Outcome::Ok, CacheOutcome::Bypass);
        }
    };
    run(Duration::from_millis(30)).await;
    node.write(NOW).await;
    // Its slot of five seconds is over.
    tokio::time::sleep(FINE).await;
    node.profiler.tick();
    node.write(NOW + HOUR).await;
    run(Duration::from_millis(2)).await;
    node.write(NOW + HOUR + 10_000).await;
    let past = node.history.read(2, NOW + HOUR + 10_000).await.unwrap();
    let longest: Vec<_> = past.iter().map(|past| past.totals.longest_poll / 1_000_000).collect();
    let [before, now] = longest[..] else { panic!("{longest:?}") };
    assert!(before >= 30 && (2..30).contains(&now), "{longest:?}");
}

struct Server(Child);

impl Server {
    fn start(port: u16) -> Self {
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--save", "", "--bind", "127.0.0.1"]);
        Self(command.stdout(Stdio::null()).spawn().expect("redis-server is there"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_redis_that_is_away_costs_no_call_and_at_most_hours() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let node = Node::new(&format!("redis://127.0.0.1:{port}"), "away");
    for hour in 0..4 {
        let begun = Instant::now();
        node.call("one", hour + 1);
        assert!(begun.elapsed() < Duration::from_millis(500));
        assert!(node.history.write(&node.profiler, NOW + hour * HOUR).await.is_err());
    }
    assert_eq!(node.history.dropped(), 1, "the oldest hour of one component");

    let _server = Server::start(port);
    let begun = Instant::now();
    while let Err(error) = node.history.write(&node.profiler, NOW + 3 * HOUR + 1).await {
        assert!(begun.elapsed() < Duration::from_secs(10), "{error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let calls = node.calls(4, NOW + 3 * HOUR).await;
    assert_eq!(calls.iter().map(|(_, _, calls, _)| calls).sum::<u64>(), calls_of_the_last_two(), "{calls:?}");
}

/// What is noted at the begin of an hour came in the one before it.
fn calls_of_the_last_two() -> u64 {
    3 + 4
}

#[tokio::test]
async fn a_url_that_is_none_is_refused() {
    assert!(History::open("nonsense", "x").is_err());
}
