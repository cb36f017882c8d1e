//! The components: quick ones, slow ones, and some that are told secrets.

use std::time::Duration;

use mcp_server::__private::{Component, Invocation};
use mcp_server::prelude::*;
use mcp_server::profile::Frame;
use mcp_server::profile::sql::{Query, statements};
use mcp_server::{Config, Server, ToolDef, tokio};

/// Adds two numbers.
#[tool(read_only)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Doubles a number, from the cache.
#[tool(read_only, cache(ttl = "1h", scope = "public"))]
fn double(a: i64) -> i64 {
    a * 2
}

/// Waits.
#[tool(read_only, slow = "20ms")]
async fn wait(ms: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    ms
}

/// Says what it is told, slowly, and asks a database for it.
#[tool(read_only, slow = "1ms")]
async fn echo(text: String) -> String {
    note(&format!("SELECT * FROM words WHERE text = '{text}'"));
    tokio::time::sleep(Duration::from_millis(5)).await;
    text
}

/// Fails with what it is told.
#[tool(slow = "1ms")]
async fn refuse(text: String) -> Result<String, ToolError> {
    Err(ToolError::new(text))
}

/// Fails with what it is told, which the caller does not see.
#[tool(slow = "1ms")]
async fn break_down(text: String) -> Result<String, ToolError> {
    Err(std::io::Error::other(text))?
}

/// A note.
#[resource(uri = "note://{name}", slow = "1ms", cacheable)]
async fn note_of(name: String) -> String {
    tokio::time::sleep(Duration::from_millis(5)).await;
    name
}

/// Notes a statement, as a database's driver does.
fn note(text: &str) {
    let statement = statements().of(text);
    statement.record(Duration::from_millis(1), 1, false);
    if let Some(frame) = Frame::current() {
        frame.query(Query { statement, took: Duration::from_millis(1), rows: 1, slow: false });
    }
}

/// What `add` takes.
#[schema]
struct Summands {
    a: i64,
    b: i64,
}

/// `add` without a name.
struct Sum;

impl Component for Sum {
    type Arguments = Summands;
    type Output = i64;

    async fn call(arguments: Summands, _: Invocation) -> Result<i64, ToolError> {
        Ok(arguments.a + arguments.b)
    }
}

/// Returns `add` by any name.
pub(crate) fn named(name: &str) -> &'static ToolDef {
    let name = Box::leak(name.to_owned().into_boxed_str());
    Box::leak(Box::new(ToolDef::new::<Sum>(name, "Adds two numbers.", add::def().place)))
}

pub(crate) fn server(config: Config) -> Server {
    Server::builder()
        .name("admin")
        .version("1.2.3")
        .config(config)
        .tool(add::def())
        .tool(double::def())
        .tool(wait::def())
        .tool(echo::def())
        .tool(refuse::def())
        .tool(break_down::def())
        .resource(note_of::def())
}
