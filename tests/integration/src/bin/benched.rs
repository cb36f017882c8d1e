//! A server whose times and failures its environment decides, for the tests of `bench`.

#![allow(missing_docs, dead_code, unreachable_pub, reason = "the components are those of the tests")]

use std::time::Duration;

use mcp_server::prelude::*;
use mcp_server::tokio;

fn told(variable: &str) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Takes as long, and allocates as often, as the environment says.
#[tool(read_only)]
pub async fn works() -> u64 {
    let pieces: Vec<_> = (0..told("BENCHED_PIECES")).map(Box::new).collect();
    tokio::time::sleep(Duration::from_millis(told("BENCHED_MS"))).await;
    pieces.len() as u64
}

/// Doubles a number, and remembers it.
#[tool(read_only, cache(ttl = "60s", scope = "public"))]
pub async fn doubled(number: i64) -> i64 {
    tokio::time::sleep(Duration::from_millis(2)).await;
    number * 2
}

/// Fails where it is told to.
#[tool]
pub fn fails(well: Option<bool>) -> Result<String, ToolError> {
    if well == Some(true) { Ok("well".into()) } else { Err(ToolError::new("the printer is out of paper")) }
}

/// One page.
#[resource(uri = "page://{number}", cacheable)]
pub fn page(number: u64) -> String {
    format!("page {number}")
}

/// Says hello.
#[prompt]
pub fn hello(name: Option<String>) -> String {
    format!("Hello, {}!", name.unwrap_or_else(|| "you".into()))
}

mcp_server::main!();
