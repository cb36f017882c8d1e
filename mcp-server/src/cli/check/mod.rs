//! `check`: is this ready for production?
//!
//! Facts are gathered first, and then judged by functions that know nothing else. In reading order: `run` is
//! the command, [`facts`] is what is looked at, with `machine`, `reached` and `overhead`, which look at what is
//! outside of the program; a [`verdict`] is what is said of one thing, and each group of them has a file;
//! `report` writes them.

#![cfg_attr(
    not(all(feature = "redis", any(feature = "sqlite", feature = "postgres"))),
    allow(dead_code, reason = "levels that are not built in are never seen")
)]

mod run;

mod facts;
mod machine;
mod overhead;
mod reached;

mod address;
mod verdict;

mod build;
mod cache;
mod components;
mod profiler;
mod running;
mod security;
mod settings;

mod report;

#[cfg(test)]
mod tests;

pub(super) use run::{command, run};
