//! The direct lane: requests that need nothing but an answer, past rmcp.
//!
//! It takes what it is sure of: a hot method, in a form that is valid beyond doubt, for a component that
//! never talks back to its client. Whatever else comes, the invalid included, goes to rmcp as it came:
//! so there is one place that refuses, and the two lanes cannot disagree about a refusal.

mod envelope;
mod take;

mod ready;
mod write;

#[cfg(feature = "http")]
mod headers;

pub(crate) use envelope::{ByName, Envelope, Settled};
#[cfg(feature = "http")]
pub(crate) use headers::Headers;
pub(crate) use ready::ReadyLists;
pub(crate) use take::Taken;
pub(crate) use write::Written;
