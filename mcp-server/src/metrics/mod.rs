//! What was measured, for Prometheus: the answer to `GET /metrics`.
//!
//! Nothing is counted here: a scrape looks once at the numbers that are there already. Labels are the names of
//! registered components and words of this crate, and never what a caller sent.

mod components;
mod exposition;
mod family;
mod labels;
mod server;

pub(crate) use exposition::{Exposition, Format};
