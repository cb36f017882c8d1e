//! `stats` and `top`: what servers that are running measure.
//!
//! In reading order: `servers` asks them, `page` is what the output is shown on, `report` is `stats`,
//! `live` is `top`, and `hours` the history.

#[cfg(feature = "redis")]
mod hours;
mod live;
mod page;
mod report;
mod servers;

pub(super) use live::{command as top_command, run as top};
pub(super) use page::Page;
pub(super) use report::{command, run};
