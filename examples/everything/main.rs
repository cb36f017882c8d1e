//! Everything that the official MCP conformance suite asks a server for, one function each.
//!
//! The names and texts are the suite's; `tests/conformance/run` holds the server against it.

mod prompts;
mod questions;
mod resources;
mod tools;

mcp_server::main!();
