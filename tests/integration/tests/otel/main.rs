//! What a server tells OpenTelemetry, held against the conventions for MCP attribute by attribute:
//! <https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/mcp/mcp.md>.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests"
)]

mod components;
mod lab;

mod operations;
mod parents;
mod runs;
mod secrets;
mod sessions;
mod traces;

mod collector;
mod pipeline;
