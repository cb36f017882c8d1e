//! A report as text: for a terminal of any width, for a file, and as Markdown for a pull request.
//!
//! In reading order: [`summary`] and [`component`] are pure functions from a [`Report`](mcp_core::profile::Report)
//! to a [`Document`], which knows no width yet. `timeline` shows one slow call, `figures` has what is
//! derived from a window. A document becomes text by way of `table`, `words` and `units`.

#![cfg_attr(
    not(feature = "cli"),
    allow(dead_code, unused_imports, reason = "without a command line only parts are used")
)]

mod component;
mod document;
mod figures;
mod findings;
#[cfg(feature = "redis")]
mod hours;
mod summary;
mod table;
mod timeline;
mod units;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use component::{component, is_named};
pub(crate) use document::{Document, Look};
pub(crate) use figures::{Figures, by_busy_time};
pub(crate) use findings::finding;
#[cfg(all(feature = "cli", feature = "redis"))]
pub(crate) use hours::hours;
pub(crate) use summary::{overview, summary};
pub(crate) use table::{Column, Table};
pub(crate) use timeline::in_short;
pub(crate) use units::{bytes, counted, percent, time};
pub(crate) use words::{clean, cut};
