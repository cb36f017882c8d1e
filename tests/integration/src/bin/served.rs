//! The server of the protocol tests as a program, for the tests of its command line and of real clients.

#![allow(missing_docs, dead_code, unreachable_pub, reason = "the components are those of the tests")]
#![allow(clippy::panic, reason = "one of them panics as it is told to")]

#[path = "../../tests/protocol/components.rs"]
mod components;

mcp_server::main!();
