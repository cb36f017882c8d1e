//! Clients that the tests talk to a server with, message by message.
//!
//! [`Wire`] speaks raw JSON lines to a server over a pipe in memory, in any revision; [`Http`] posts
//! them to a real port. Both hold every message that a server sends against the official schema of
//! its revision: see [`schema`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "this is a test harness"
)]
#![allow(missing_docs, reason = "read with its uses")]

pub mod figures;
pub mod http;
pub mod program;
pub mod schema;
pub mod wire;

pub use figures::Figures;
pub use http::Http;
pub use wire::Wire;

/// The newest revision, which has no handshake.
pub const MODERN: &str = "2026-07-28";

/// The newest revision with one.
pub const LEGACY: &str = "2025-11-25";

/// All revisions, oldest first.
pub const REVISIONS: [&str; 5] = ["2024-11-05", "2025-03-26", "2025-06-18", LEGACY, MODERN];

/// Returns the `_meta` that each request of the newest revision carries.
pub fn request_meta(capabilities: &serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": { "name": "harness", "version": "1.0.0" },
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    })
}
