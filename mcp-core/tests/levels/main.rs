//! What every level of the cache promises, and what each kind of database does in trouble.
//! Nothing waits for a fixed time and hopes: waits end when what they wait for is there.

#![cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[macro_use]
mod suite;
mod support;

#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(all(unix, feature = "postgres"))]
mod restart;

#[cfg(all(unix, feature = "sqlite"))]
mod damage;
#[cfg(all(unix, feature = "sqlite"))]
mod processes;
#[cfg(all(unix, feature = "sqlite"))]
mod sqlite;

#[cfg(all(feature = "sqlite", feature = "postgres"))]
mod cost;
