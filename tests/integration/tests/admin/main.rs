//! Metrics, the dashboard's data, and alerts, as those see them who ask over HTTP.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests"
)]

mod lab;
mod parser;

mod components;

mod access;
mod alerts;
mod events;
mod files;
mod listeners;
mod metrics;
mod routes;
mod secrets;
