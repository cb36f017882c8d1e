//! What a component needs of the client that called it; the protocol implements it.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::ask::Question;
use crate::component::BoxFuture;
use crate::error::ToolError;

/// What is known of a request beside its arguments.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RequestInfo {
    /// The protocol revision, such as `2026-07-28`; empty where a call came without the protocol.
    pub protocol_version: String,
    /// The HTTP headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// `traceparent`, `tracestate` and `baggage` of the request's `_meta` (SEP-414).
    pub trace: BTreeMap<&'static str, String>,
    /// Answers of earlier rounds by the key of their question.
    pub answers: HashMap<String, Value>,
}

/// The way from a component to the client of its call.
///
/// The protocol implements it; a component uses it through [`Ctx`](crate::Ctx).
pub trait Client: Send + Sync {
    /// Reports progress, where the client asked for it.
    fn progress(&self, done: f64, total: Option<f64>, message: Option<String>) -> BoxFuture<'_, ()>;

    /// Sends a log message, where the client wants its level.
    fn log(&self, level: LogLevel, data: Value) -> BoxFuture<'_, ()>;

    /// Returns how questions reach the client.
    fn asking(&self) -> Asking;

    /// Returns whether the client answers questions of a method.
    fn answers(&self, method: &str) -> bool;

    /// Asks a question and waits for the answer; only where [`Asking::Directly`].
    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Value, ToolError>>;
}

/// How a question reaches the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// As a request of the server, within a session (revisions before 2026-07-28).
    Directly,
    /// As the result of the call, which the client then repeats with the answers (since 2026-07-28).
    InRounds,
    /// Not at all.
    Never,
}

/// The importance of a log message (RFC 5424).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogLevel {
    /// Returns the protocol's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}
/// The client of a call that came without one.
#[derive(Debug)]
pub struct Nobody;

impl Client for Nobody {
    fn progress(&self, _: f64, _: Option<f64>, _: Option<String>) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn log(&self, _: LogLevel, _: Value) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn asking(&self) -> Asking {
        Asking::Never
    }

    fn answers(&self, _: &str) -> bool {
        false
    }

    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Value, ToolError>> {
        Box::pin(std::future::ready(Err(ToolError::missing_capability(question.method))))
    }
}
