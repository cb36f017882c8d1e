//! What is written about each call: its figures, and the log lines that its caller does not see.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use mcp_core::Failure;
use mcp_core::cache::{CacheOutcome, Served};
use mcp_core::profile::{Call, Frame, Outcome};
use mcp_core::registry::Entry;
use tokio_util::sync::CancellationToken;

use crate::dispatch::Dispatch;
use crate::error::log_id;

/// Writes the figures of one call, also of one that is dropped before its end.
pub(crate) struct Record<'a> {
    dispatch: &'a Dispatch,
    cancelled: Option<CancellationToken>,
    call: Option<Call<'a>>,
}

impl<'a> Record<'a> {
    /// Begins with a call.
    pub(crate) fn new(
        dispatch: &'a Dispatch,
        entry: &'a Entry,
        cancelled: Option<CancellationToken>,
    ) -> Self {
        dispatch.answering.fetch_add(1, Ordering::AcqRel);
        Self { dispatch, cancelled, call: dispatch.profiler.call(entry) }
    }

    /// Notes that the arguments are in their types.
    pub(crate) fn decoded(&mut self) {
        if let Some(call) = &mut self.call {
            call.decoded();
        }
    }

    /// Notes that there is no result at hand; returns what the run is written to.
    pub(crate) fn looked(&mut self) -> Option<Arc<Frame>> {
        self.call.as_mut().map(Call::looked)
    }

    /// Returns what the run is written to, where no result could be at hand.
    pub(crate) fn bypassed(&mut self) -> Option<Arc<Frame>> {
        self.call.as_mut().map(Call::bypassed)
    }

    /// Counts the call as what it came to.
    pub(crate) fn finish(mut self, served: &Served) {
        let cancelled = self.cancelled.as_ref().is_some_and(CancellationToken::is_cancelled);
        if let Some(call) = self.call.take() {
            call.end(outcome(served, cancelled), served.outcome);
        }
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            call.end(Outcome::Dropped, CacheOutcome::Bypass);
        }
        self.dispatch.answering.fetch_sub(1, Ordering::AcqRel);
    }
}

fn outcome(served: &Served, cancelled: bool) -> Outcome {
    match &served.result {
        _ if cancelled => Outcome::Cancelled,
        Ok(_) if served.failed => Outcome::ToolError,
        Ok(_) => Outcome::Ok,
        Err(Failure::Error(error)) if !error.is_hidden() => Outcome::ToolError,
        Err(Failure::Panic) => Outcome::Panic,
        Err(Failure::Cancelled) => Outcome::Cancelled,
        Err(Failure::InputRequired(_)) => Outcome::InputRequired,
        Err(_) => Outcome::Error,
    }
}

/// Logs what the caller is not told, under an id that the caller is told.
pub(crate) fn logged(entry: &Entry, failure: &Failure) -> Option<String> {
    let (kind, name) = (entry.def.kind.word(), entry.def.name);
    match failure {
        Failure::Error(error) if error.is_hidden() => {
            let id = log_id();
            tracing::error!(kind, name, id, error = error.message(), "the component failed");
            Some(id)
        }
        Failure::Panic => {
            let id = log_id();
            tracing::error!(kind, name, id, place = %entry.def.place, "the component panicked");
            Some(id)
        }
        Failure::Timeout => {
            let limit = entry.def.timeout;
            tracing::warn!(kind, name, ?limit, "the component took too long and was ended");
            None
        }
        _ => None,
    }
}
