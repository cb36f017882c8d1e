//! What is written about each call: its figures, and the log lines that its caller does not see.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mcp_core::Failure;
use mcp_core::cache::{CacheOutcome, Served};
use mcp_core::registry::Entry;
use mcp_core::stats::Outcome;
use tokio_util::sync::CancellationToken;

use crate::dispatch::Dispatch;
use crate::error::log_id;

/// Writes the figures of one call, also of one that is dropped before its end.
pub(crate) struct Record<'a> {
    dispatch: &'a Dispatch,
    entry: &'a Entry,
    cancelled: Option<CancellationToken>,
    start: Instant,
    cache: CacheOutcome,
    done: bool,
}

impl<'a> Record<'a> {
    /// Begins with a call.
    pub(crate) fn new(
        dispatch: &'a Dispatch,
        entry: &'a Entry,
        cancelled: Option<CancellationToken>,
    ) -> Self {
        dispatch.answering.fetch_add(1, Ordering::AcqRel);
        Self { dispatch, entry, cancelled, start: Instant::now(), cache: CacheOutcome::Bypass, done: false }
    }

    /// Counts the call as what it came to; returns how long it took.
    pub(crate) fn finish(mut self, served: &Served) -> Duration {
        self.cache = served.outcome;
        let outcome = outcome(served, self.cancelled.as_ref().is_some_and(CancellationToken::is_cancelled));
        self.write(outcome)
    }

    fn write(&mut self, outcome: Outcome) -> Duration {
        self.done = true;
        let took = self.start.elapsed();
        let def = self.entry.def;
        let slow = took >= def.slow.unwrap_or(self.dispatch.config.slow_threshold);
        if self.dispatch.config.monitoring_enabled && def.profile {
            self.entry.stats.record(outcome, self.cache, took, slow);
        }
        let (kind, name) = (def.kind.word(), def.name);
        let (outcome, cache, micros) = (outcome.word(), self.cache.word(), took.as_micros() as u64);
        if slow {
            tracing::warn!(kind, name, outcome, cache, micros, "slow call");
        } else {
            tracing::debug!(kind, name, outcome, cache, micros, "call");
        }
        took
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.write(Outcome::Dropped);
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
pub(crate) fn logged(entry: &Entry, failure: &Failure, took: Duration) -> Option<String> {
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
            tracing::warn!(
                kind,
                name,
                millis = took.as_millis() as u64,
                "the component took too long and was ended"
            );
            None
        }
        _ => None,
    }
}
