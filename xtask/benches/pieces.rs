//! What the pieces of a call cost: `cargo bench --manifest-path xtask/Cargo.toml`.

use std::hint::black_box;
use std::task::{Context, Poll, Waker};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use mcp_core::arguments::Input;
use mcp_core::cache::CacheOutcome;
use mcp_core::link::Item;
use mcp_core::profile::{Frame, Outcome, Profiled, Profiler, ProfilerOptions};
use mcp_core::registry::Registry;
use mcp_server::cache::{Cache, CacheOptions, Lookup};
use mcp_server::policy::CachePolicy;
use mcp_server::{Config, Server, tool};
use tokio::runtime::{Builder, Runtime};
use tower_service::Service as _;

/// Adds two numbers.
#[tool(read_only)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Returns 2 KiB.
#[tool(read_only, cache(ttl = "1h", scope = "public"))]
fn page(key: String) -> String {
    key.repeat(2048 / key.len())
}

/// Makes a request as a client of 2026-07-28 sends it.
fn request(method: &str, name: &str, params: &str) -> Request<Full<Bytes>> {
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{meta}}}}}"#);
    Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method)
        .header("mcp-name", name)
        .body(Full::new(Bytes::from(body)))
        .unwrap_or_default()
}

/// A request through the lane, without a socket: parse, key, cache or function, render.
fn requests(criterion: &mut Criterion, runtime: &Runtime) {
    let server =
        Server::builder().name("pieces").config(Config::default()).tool(add::def()).tool(page::def());
    let Ok(service) = server.http_service() else { return };
    let mut group = criterion.benchmark_group("request");
    for (case, method, name, params) in [
        ("call", "tools/call", "add", r#""name":"add","arguments":{"a":2,"b":3},"#),
        ("hit of 2 KiB", "tools/call", "page", r#""name":"page","arguments":{"key":"abcdefgh"},"#),
        ("list", "tools/list", "", ""),
    ] {
        group.bench_function(case, |bencher| {
            bencher.iter_batched(
                || (service.clone(), request(method, name, params)),
                |(mut service, request)| runtime.block_on(service.call(request)),
                BatchSize::SmallInput,
            );
        });
    }
}

/// A run of so many polls, ready in the last.
fn run(polls: u32) -> impl Future<Output = u32> + Unpin {
    let mut left = polls;
    std::future::poll_fn(move |_| {
        left -= 1;
        if left == 0 { Poll::Ready(black_box(polls)) } else { Poll::Pending }
    })
}

fn polled(mut future: impl Future<Output = u32> + Unpin) -> u32 {
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = std::pin::Pin::new(&mut future).poll(&mut cx) {
            return output;
        }
    }
}

/// What a call pays for being measured.
fn profiler(criterion: &mut Criterion) {
    let Ok(registry) = Registry::new([Item::Tool(add::def())]) else { return };
    let profiler = Profiler::new(&registry, ProfilerOptions::default());
    let Some(entry) = registry.tool("add") else { return };
    // The clock of the processor is trusted after a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    profiler.tick();

    let call = |polls: u32, inside: fn()| {
        let mut call = profiler.call(entry);
        let frame = call.as_mut().map(|call| {
            call.decoded();
            call.bypassed()
        });
        let mut run = run(polls);
        let mut first = true;
        let run = std::future::poll_fn(move |cx| {
            if std::mem::take(&mut first) {
                Frame::entered();
                inside();
                Frame::returned();
            }
            std::pin::Pin::new(&mut run).poll(cx)
        });
        let output = polled(Profiled::new(run, frame));
        if let Some(call) = call {
            call.end(Outcome::Ok, CacheOutcome::Bypass);
        }
        output
    };
    let mut group = criterion.benchmark_group("profiler");
    group.bench_function("bare run", |bencher| bencher.iter(|| polled(run(1))));
    group.bench_function("off", |bencher| bencher.iter(|| polled(Profiled::new(run(1), None))));
    group.bench_function("one poll", |bencher| bencher.iter(|| call(1, || {})));
    group.bench_function("eleven polls", |bencher| bencher.iter(|| call(11, || {})));
    group.bench_function("ten checkpoints", |bencher| {
        bencher.iter(|| call(1, || (0..10).for_each(|_| mcp_core::checkpoint!("here"))));
    });
}

fn pieces(criterion: &mut Criterion) {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
    requests(criterion, &runtime);
    profiler(criterion);

    criterion.bench_function("arguments", |bencher| {
        bencher.iter(|| (add::def().prepare)(Input::Json(black_box(r#"{"a":2,"b":3}"#))).is_ok());
    });

    let cache = Cache::new(CacheOptions::default());
    let key = || cache.key("tool/page", 1, 7).field("key", black_box("abcdefgh")).finish();
    criterion.bench_function("key", |bencher| bencher.iter(key));

    if let (Ok(key), Some(policy)) = (key(), page::def().cache) {
        let policy: CachePolicy = policy;
        let lookup = Lookup { key, tags: [].into(), policy, timeout: None };
        cache.prime(&lookup, Bytes::from(vec![b'x'; 2048]));
        criterion.bench_function("hit", |bencher| bencher.iter(|| cache.get(black_box(&key), &policy)));
    }
}

criterion_group!(benches, pieces);
criterion_main!(benches);
