//! Who is told of calls that are worth a look, and how often.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::findings::human;
use super::report::{Finding, SlowCall};

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

/// Tells at most once a minute of the same of each component, and the log before all others.
#[derive(Default)]
pub(super) struct Alerts {
    pub(super) sinks: Vec<Box<dyn Sink>>,
    /// By component and what it shows: when one was told of it, and how many were kept back since.
    told: HashMap<String, (Duration, u64)>,
}

impl Alerts {
    pub(super) fn tell(&mut self, alert: Alert, now: Duration) {
        let component = format!("{} {}", alert.call.kind, alert.call.name);
        // What hangs is told of at once: it is said only once.
        let urgent = alert.call.outcome.is_none();
        // What is new of a component is told at once.
        let kinds = alert.found.iter().flat_map(|finding| [" ", finding.kind.as_str()]);
        let same: String = [component.as_str(), &alert.call.why].into_iter().chain(kinds).collect();
        let suppressed = match self.told.get_mut(&same) {
            Some((last, kept_back)) if now.saturating_sub(*last) < PAUSE && !urgent => {
                *kept_back += 1;
                return;
            }
            Some((last, kept_back)) => {
                *last = now;
                std::mem::take(kept_back)
            }
            None => {
                self.told.insert(same, (now, 0));
                0
            }
        };
        log(&alert, &component, suppressed);
        self.sinks.iter().for_each(|sink| sink.alert(&alert, suppressed));
    }
}

fn log(alert: &Alert, component: &str, suppressed: u64) {
    let call = &alert.call;
    let (why, place, id) = (&*call.why, &*call.place, &*call.id);
    let outcome = call.outcome.as_deref().unwrap_or("running");
    let took = human(call.wall_ns);
    let found: Vec<_> = alert
        .found
        .iter()
        .map(|finding| match &finding.after {
            Some(after) => format!("{}, after `{after}`: {}", finding.kind, finding.says),
            None => format!("{}: {}", finding.kind, finding.says),
        })
        .collect();
    let found = found.join("; ");
    // Who is refused knows it; a server that fails should know it too, and does by another line.
    if why == "failed" {
        tracing::debug!(target: "mcp_core::slow", component, place, why, outcome, took, found, suppressed, id, "failed call");
    } else {
        tracing::warn!(target: "mcp_core::slow", component, place, why, outcome, took, found, suppressed, id, "slow call");
    }
}
