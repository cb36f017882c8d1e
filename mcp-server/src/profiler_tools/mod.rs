//! Tools by which a client asks what is slow, why, where, and what to change; the setting `profiler_tools`.
//!
//! In reading order: `questions` are the tools, each a type of its arguments and the answer to it,
//! `shown` is how figures, findings and calls are told of, `items` are the definitions of the tools, and
//! `asked` runs one: it gets the report and keeps the answer short.
//!
//! The definitions are written by hand: what `#[tool]` emits is linked into every server, and these
//! belong to those alone that are asked for them. They are not measured, and never cached.

mod asked;
mod items;
mod questions;
mod shown;

pub(crate) use items::ITEMS;
