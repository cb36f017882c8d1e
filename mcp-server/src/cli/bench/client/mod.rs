//! A client of a server that runs elsewhere, small enough to take little of what is measured.
//!
//! In reading order: `remote` finds out what the server speaks and has, `message` writes requests, `answer`
//! reads what comes back; `http` and `stdio` carry both.

mod answer;
#[cfg(feature = "http")]
mod http;
mod message;
mod remote;
mod stdio;

#[cfg(feature = "http")]
pub(super) use http::Site;
pub(super) use remote::Remote;
pub(super) use stdio::words;
