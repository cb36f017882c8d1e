//! The components: each way to answer, and what nests in a call.

use std::sync::atomic::{AtomicBool, Ordering};

use std::time::Duration;

use mcp_server::prelude::*;
use mcp_server::{Config, Server, profile};
use opentelemetry::global;
use opentelemetry::trace::{Span as _, Tracer as _};

/// Adds two numbers.
#[tool(read_only)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Repeats a text, as a failure that the model can read.
#[tool(read_only)]
fn refuse(text: String) -> Result<String, ToolError> {
    Err(ToolError::new(format_args!("no: {text}")))
}

/// Repeats a text in an error that only the log sees.
#[tool(read_only)]
fn hide(text: String) -> Result<String, ToolError> {
    Err(std::io::Error::other(text).into())
}

/// Repeats a text.
#[tool(read_only)]
fn repeat(text: String) -> String {
    text
}

/// Panics with a text.
#[tool(read_only)]
fn explode(text: String) -> String {
    panic!("{text}")
}

/// Begins a span of its own, after a checkpoint.
#[tool(read_only)]
async fn nest(rows: usize) -> usize {
    mcp_server::tokio::task::yield_now().await;
    profile::checkpoint("rows loaded", Some(rows as f64));
    global::tracer("user").start("the user's own").end();
    rows
}

/// Does the same in the task of a flight.
#[tool(read_only, cache(ttl = "1h", scope = "public"))]
async fn nest_cached(rows: usize) -> usize {
    mcp_server::tokio::task::yield_now().await;
    profile::checkpoint("rows loaded", Some(rows as f64));
    global::tracer("user").start("the user's own").end();
    rows
}

/// Whether somebody waits.
pub static WAITING: AtomicBool = AtomicBool::new(false);

/// Waits for ever.
#[tool(read_only)]
async fn wait() -> String {
    WAITING.store(true, Ordering::Release);
    std::future::pending().await
}

/// Runs a statement, as sqlx would tell of it.
#[tool(read_only)]
async fn query(name: String) -> usize {
    let text = format!("SELECT id FROM users WHERE name = '{name}'");
    let statement = profile::sql::statements().of(&text);
    let took = Duration::from_millis(3);
    mcp_server::tokio::time::sleep(took).await;
    let frame = profile::Frame::current().unwrap();
    frame.query(profile::sql::Query { statement, took, rows: 1, slow: false });
    1
}

/// A product.
#[resource(uri = "otel://product/{id}")]
fn product(id: u64) -> String {
    format!("product {id}")
}

/// What cannot be read.
#[resource(uri = "otel://broken")]
fn broken() -> Result<String, ToolError> {
    Err(std::io::Error::other("no disk").into())
}

/// Greets somebody.
#[prompt]
fn greet(name: String) -> String {
    format!("Greet {name}.")
}

pub fn config(direct_lane: bool) -> Config {
    let mut config = Config::default();
    config.direct_lane = direct_lane;
    config
}

pub fn server(config: Config) -> Server {
    Server::builder()
        .name("otel")
        .config(config)
        .tool(add::def())
        .tool(refuse::def())
        .tool(hide::def())
        .tool(repeat::def())
        .tool(explode::def())
        .tool(wait::def())
        .tool(query::def())
        .tool(nest::def())
        .tool(nest_cached::def())
        .resource(product::def())
        .resource(broken::def())
        .prompt(greet::def())
}
