//! Operations: each request and notification, from when it was read until its answer is ready.
//!
//! In reading order: [`Arrival`] is when and where a message came, [`Asked`] what it wants, [`Ended`] what
//! became of it. [`Operations`] of a server begins an [`Operation`] and keeps its time in a [`Series`], as a
//! [`Session`] does with its own, by the names of OpenTelemetry's conventions for MCP:
//! <https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/mcp/mcp.md>.
//! With the feature `otel` each is a span as well.
//!
//! The rest of the server knows two places: where a message is read, and where its answer is ready.

#![cfg_attr(
    not(any(feature = "http", feature = "otel")),
    allow(dead_code, reason = "what reads series are pages over HTTP and OpenTelemetry")
)]

mod arrival;
mod asked;
mod ended;

mod operations;
mod series;
mod session;

#[cfg(feature = "http")]
mod collect;

#[cfg(feature = "otel")]
mod parent;
#[cfg(feature = "otel")]
mod run;
#[cfg(feature = "otel")]
mod telemetry;

#[cfg(feature = "http")]
pub(crate) use arrival::Peer;
pub(crate) use arrival::{Arrival, Network};
pub(crate) use asked::{Asked, Id};
#[cfg(feature = "http")]
pub(crate) use collect::OperationDurations;
pub(crate) use ended::{Ended, Ending, Outcome};
pub(crate) use operations::{Begun, Operations};
#[cfg(feature = "otel")]
pub(crate) use run::trace;
pub(crate) use session::Session;
