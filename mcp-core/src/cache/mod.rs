//! The cache: results by canonical key, one flight per key, invalidation by generation.
//!
//! It knows bytes, keys and tags; what a tool or a resource is, it does not. In reading order:
//! a call is described in [`Lookup`], named by a [`Key`] and grouped by [`TagId`]s, comes in at
//! [`Cache::get`] and goes on to [`Cache::get_or_run`].

mod handle;
mod lookup;
mod run;

mod key;
mod tag;

mod container;
mod encode;

mod backoff;
mod entry;
mod flight;
mod generations;
mod memory;

pub mod level;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub mod sql;

mod chance;
mod stats;

pub use handle::{Cache, CacheOptions, EntryInfo, Invalidated, Observer, Resolver};
pub use key::{Key, KeyError, KeyRoot, KeyWriter, derived_secret, random_secret};
pub use lookup::{CacheOutcome, Loaded, Lookup, Served};
pub use stats::CacheStats;
pub use tag::TagId;
