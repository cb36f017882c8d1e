//! Statements of sqlx are given to the calls that ran them, in SQLite and in Postgres.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod attribution;
mod captured;
mod repeated;
mod support;
