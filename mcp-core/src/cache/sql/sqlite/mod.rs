//! The cache in a SQLite file: for the processes of one machine, and for restarts.

mod level;

mod change;
mod connections;
mod file;
mod schema;

mod news;
mod tend;

pub(super) use connections::Sqlite;
