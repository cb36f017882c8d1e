//! The shared level in Redis or Valkey.
//!
//! ```text
//! mcp:{application}:marks     hash: `n`, the number of the last invalidation; `all`, its mark for everything;
//!                             a field for each tag that was ever invalidated
//! mcp:{application}:news      stream: what was invalidated, with its number and the one before
//! mcp:{application}:v:<key>   the values, each of which expires by itself
//! mcp:{application}:l:<key>   who computes a value now
//! ```
//!
//! The braces keep an application within one slot of a cluster, where one script can compare marks and store.

mod connection;
mod facts;
mod level;
mod line;
mod news;
mod scripts;

pub use facts::RedisFacts;
pub use level::{Redis, RedisOptions};

pub(crate) use connection::Place;
pub(crate) use line::Line;
