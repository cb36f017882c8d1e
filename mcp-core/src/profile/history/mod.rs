//! What was measured in each hour, kept in Redis: it survives restarts, and those of many processes add up.
//!
//! ```text
//! mcp:{application}:h:2026112409   hash: what each process measured of each component in that hour
//!                                  `{instance}|{kind}|{name}` -> a blob; the key expires after eight days
//! ```
//!
//! A process writes over what it wrote of the same hour. So writing twice changes nothing, whatever went
//! wrong in between, and readers add up what the processes wrote.

mod blob;
mod hour;
mod store;

pub use hour::Hour;
pub use store::{History, Past};
