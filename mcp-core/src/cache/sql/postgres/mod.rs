//! The cache in Postgres: for processes on many machines.

mod level;

mod change;
mod connections;
mod schema;

mod news;
mod tend;

pub(super) use connections::Postgres;
