//! A server of notes in an SQLite file: everybody finds, reads and changes their own, and nobody else's.
//!
//! Results are cached for each caller alone, which is what `cache` does unless it is told otherwise.
//! What changes a note says what it makes invalid, and clients that subscribed to the note are told.

mod store;
mod tools;

mcp_server::main!();
