//! Which SQL statements ran, for how long, and on behalf of which call.
//!
//! sqlx writes a `tracing` event for each statement. A layer hears these events, reduces each text to
//! its fingerprint and gives the statement to the call that ran it. In reading order:
//!
//! - `fingerprint`: the text of a statement without its literals,
//! - `statements`: the figures of each fingerprint in this process,
//! - `queries`: what one call ran,
//! - `watch`: whether there is a layer, and what it hears besides,
//! - `state`: whether the events reach it,
//! - `layer`: the layer itself (feature `queries`),
//! - `capture`: the statements of a future, for tests (feature `queries`).

mod fingerprint;
mod queries;
mod state;
mod statements;
mod watch;

#[cfg(feature = "queries")]
mod capture;
#[cfg(feature = "queries")]
mod layer;

#[cfg(feature = "queries")]
pub use capture::{Captured, CapturedQuery, capture};
pub use fingerprint::fingerprint;
#[cfg(feature = "queries")]
pub use layer::layer;
pub use queries::{NotedQuery, Queries, Query, Repeated};
pub use state::{State, state};
pub use statements::{Statement, StatementFigures, Statements, statements};
pub use watch::{PoolFigures, is_watched, pool, seen_outside, unattributed};
