//! A client of a server that runs elsewhere, small enough to take little of what is measured.
//!
//! In reading order: `remote` finds out what the server speaks and has, `message` writes requests, `answer`
//! reads what comes back; `http` and `stdio` carry both,
//! the latter to a `group` of processes.

mod answer;
mod group;
#[cfg(feature = "http")]
mod http;
mod message;
mod remote;
mod stdio;

pub(super) use group::end_all;
#[cfg(feature = "http")]
pub(super) use http::Site;
pub(super) use remote::Remote;
pub(super) use stdio::words;
