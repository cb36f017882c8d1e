//! The level of the cache that outlives every process: in a SQLite file or in Postgres.
//!
//! In reading order: [`Database`] is what users see; each kind of database has a folder with its
//! schema, its way to the connections, what it does as a level, its news and its housekeeping.

mod database;
mod options;
mod standing;

mod chain;
mod gate;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use database::Database;
pub use options::DatabaseOptions;
pub use standing::Standing;
