//! Who is told of calls that are worth a look, and how often.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::report::{Finding, SlowCall};
use super::units::human;

/// How long nobody is told again of the same.
const PAUSE: Duration = Duration::from_secs(60);

/// A call that is worth a look, and what it shows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Alert {
    /// The call.
    pub call: Arc<SlowCall>,
    /// What it shows.
    pub found: Vec<Finding>,
}

/// Somebody who is told of calls that are worth a look.
pub trait Sink: Send {
    /// Takes an alert; `suppressed` is how many of this component came since the last one, and were kept back.
    ///
    /// It is called by the profiler's own thread and should return soon: hand on what takes long.
    fn alert(&self, alert: &Alert, suppressed: u64);
}

/// Who is told.
type Sinks = Vec<Box<dyn Sink>>;

/// Tells at most once a minute of the same of each component, and the log before all others.
#[derive(Default)]
pub(super) struct Alerts {
    sinks: Sinks,
    told: HashMap<String, Told>,
    /// What is to be told, with how many were kept back before.
    waiting: Vec<(Alert, u64)>,
}

/// What one was told of a component.
#[derive(Default)]
struct Told {
    /// What it showed, and when; as many as there are kinds of findings.
    last: HashMap<String, Duration>,
    /// How many calls were kept back since.
    kept_back: u64,
}

impl Alerts {
    pub(super) fn add(&mut self, sink: Box<dyn Sink>) {
        self.sinks.push(sink);
    }

    /// Takes what may be told, or keeps it back.
    pub(super) fn take(&mut self, alert: Alert, now: Duration) {
        let told = self.told.entry(alert.component()).or_default();
        let kinds = alert.found.iter().flat_map(|finding| [" ", finding.kind.as_str()]);
        let shows: String = std::iter::once(alert.call.why.as_str()).chain(kinds).collect();
        // What is new of a component is told at once.
        if told.last.get(&shows).is_some_and(|last| now.saturating_sub(*last) < PAUSE) {
            told.kept_back += 1;
            return;
        }
        told.last.insert(shows, now);
        let suppressed = std::mem::take(&mut told.kept_back);
        self.waiting.push((alert, suppressed));
    }

    /// Gives away who is to be told, and of what.
    pub(super) fn leave(&mut self) -> (Sinks, Vec<(Alert, u64)>) {
        (std::mem::take(&mut self.sinks), std::mem::take(&mut self.waiting))
    }

    /// Takes back who was told; others may have come meanwhile.
    pub(super) fn back(&mut self, mut sinks: Sinks) {
        sinks.append(&mut self.sinks);
        self.sinks = sinks;
    }
}

impl Alert {
    fn component(&self) -> String {
        format!("{} {}", self.call.kind, self.call.name)
    }

    /// Writes it to the log.
    pub(super) fn log(&self, suppressed: u64) {
        let (call, component) = (&self.call, self.component());
        let (why, place, id) = (&*call.why, &*call.place, &*call.id);
        let outcome = call.outcome.as_deref().unwrap_or("running");
        let took = human(call.wall_ns);
        let found: Vec<_> = self
            .found
            .iter()
            .map(|finding| match &finding.after {
                Some(after) => format!("{}, after `{after}`: {}", finding.kind, finding.says),
                None => format!("{}: {}", finding.kind, finding.says),
            })
            .collect();
        let found = found.join("; ");
        // Who is refused knows it; a server that fails should know it too, and does by another line.
        if why == "failed" && self.found.is_empty() {
            tracing::debug!(target: "mcp_core::slow", component, place, why, outcome, took, found, suppressed, id, "failed call");
        } else {
            tracing::warn!(target: "mcp_core::slow", component, place, why, outcome, took, found, suppressed, id, "slow call");
        }
    }
}
