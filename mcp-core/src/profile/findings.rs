//! What is wrong with a call that was caught, in words, with what to do.

use super::call::BLOCKS;
use super::report::{Finding, SlowCall};
use super::units::human;

/// How many findings are kept.
const MOST: usize = 200;

/// From how many statements on a call has many.
const MANY_QUERIES: usize = 50;

/// Which share of its busy time a call uses the processor if it does not wait in its polls.
const BURNS: f64 = 0.7;

/// Below which share of its time a slow call is busy if it waits for something else.
const IDLE: f64 = 0.2;

/// What was found in calls, each kind once for a component and a place in it.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// Adds what a call shows; returns it.
    pub(super) fn add(&mut self, call: &SlowCall) -> Vec<Finding> {
        let found = found(call);
        for finding in &found {
            let same = |other: &&mut Finding| {
                (&other.kind, &other.component, &other.after)
                    == (&finding.kind, &finding.component, &finding.after)
            };
            match self.0.iter_mut().find(same) {
                Some(there) => *there = Finding { times: there.times + 1, ..finding.clone() },
                None => {
                    if self.0.len() == MOST {
                        let oldest = self.0.iter().enumerate().min_by_key(|(_, finding)| finding.last_ms);
                        let oldest = oldest.map_or(0, |(index, _)| index);
                        self.0.swap_remove(oldest);
                    }
                    self.0.push(finding.clone());
                }
            }
        }
        found
    }

    /// Returns all, the newest first.
    pub(super) fn all(&self) -> Vec<Finding> {
        let mut all = self.0.clone();
        all.sort_by(|a, b| b.last_ms.cmp(&a.last_ms).then_with(|| a.kind.cmp(&b.kind)));
        all
    }
}

/// Returns what a call shows.
fn found(call: &SlowCall) -> Vec<Finding> {
    let finding = |kind: &str, after: Option<String>, says: String, fix: &str| Finding {
        kind: kind.to_owned(),
        component: format!("{} {}", call.kind, call.name),
        place: call.place.clone(),
        after,
        says,
        fix: fix.to_owned(),
        times: 1,
        last_ms: call.at_ms,
        call: Some(call.id.clone()),
    };
    let mut found = Vec::new();
    if call.outcome.is_none() {
        let says = format!("runs since {} and has not ended", human(call.wall_ns));
        found.push(finding(
            "hangs",
            last_checkpoint(call),
            says,
            "give it a `timeout = \"..\"`, and look for what it waits for",
        ));
    }
    if call.longest_poll_ns >= BLOCKS {
        let poll = human(call.longest_poll_ns);
        let share =
            call.cpu_ns.filter(|_| call.cpu_busy_ns > 0).map(|cpu| cpu as f64 / call.cpu_busy_ns as f64);
        let after = longest_busy(call);
        found.push(match share {
            Some(share) if share >= BURNS => finding(
                "burns_the_processor",
                after,
                format!("one poll computed for {poll} and kept a worker from all other calls ({:.0} % of it processor time)", share * 100.0),
                "run it on other threads with `blocking`, or divide it and `tokio::task::yield_now().await`",
            ),
            Some(share) => finding(
                "blocks_the_runtime",
                after,
                format!("one poll waited for {poll} and kept a worker from all other calls ({:.0} % of it processor time)", share * 100.0),
                "await an async client, timer or lock, or run it on other threads with `blocking`",
            ),
            None => finding(
                "blocks_the_runtime",
                after,
                format!("one poll kept a worker from all other calls for {poll} (its processor time was not taken: the next call tells whether it waits or computes)"),
                "run it on other threads with `blocking`, or await in between",
            ),
        });
    }
    for repeated in &call.repeated {
        let says = format!(
            "{} times {} in one call, {} in all",
            repeated.times,
            repeated.fingerprint,
            human(repeated.total_ns)
        );
        found.push(finding(
            "repeated_sql",
            repeated.after.clone(),
            says,
            "ask once for all: `.. IN (..)`, or a join",
        ));
    }
    if call.queries.len() >= MANY_QUERIES {
        let queries = call.queries.len() as u64 + call.dropped.queries;
        found.push(finding(
            "many_queries",
            None,
            format!("{queries} statements in one call"),
            "ask for more at a time",
        ));
    }
    if call.why == "slow" && found.is_empty() {
        let function =
            call.phases.iter().find(|phase| phase.name == "function").map_or(0, |phase| phase.took_ns);
        let sql: u64 = call.queries.iter().map(|query| query.took_ns).sum();
        let (wall, busy) = (call.wall_ns.max(1) as f64, call.busy_ns as f64);
        if sql as f64 > wall / 2.0 {
            let worst = call.queries.iter().max_by_key(|query| query.took_ns);
            let text = worst.map(|query| query.fingerprint.as_str()).unwrap_or_default();
            let says = format!(
                "{} of {} in {} statements, the longest: {text}",
                human(sql),
                human(call.wall_ns),
                call.queries.len()
            );
            found.push(finding(
                "slow_sql",
                worst.and_then(|query| query.after.clone()),
                says,
                "look at its plan: an index may be missing",
            ));
        } else if busy < wall * IDLE && function as f64 > wall / 2.0 {
            let says = format!(
                "waited {} of {} for something outside: it was busy for {}",
                human(function.saturating_sub(call.busy_ns)),
                human(call.wall_ns),
                human(call.busy_ns)
            );
            found.push(finding(
                "waits",
                longest_gap(call),
                says,
                "cache the result, ask in parallel, or set a `timeout`",
            ));
        }
    }
    if call.outcome.as_deref() == Some("panic") {
        found.push(finding(
            "panics",
            last_checkpoint(call),
            "panicked".to_owned(),
            "the log has the message: return an error instead",
        ));
    }
    found
}

fn last_checkpoint(call: &SlowCall) -> Option<String> {
    call.checkpoints.last().map(|checkpoint| checkpoint.label.clone())
}

/// Returns the checkpoint after which the most busy time passed.
fn longest_busy(call: &SlowCall) -> Option<String> {
    after_most(call, |checkpoint| checkpoint.busy_ns, call.busy_ns)
}

/// Returns the checkpoint after which the most time passed.
fn longest_gap(call: &SlowCall) -> Option<String> {
    after_most(call, |checkpoint| checkpoint.at_ns, call.wall_ns)
}

fn after_most(
    call: &SlowCall,
    of: impl Fn(&super::report::CheckpointReport) -> u64,
    end: u64,
) -> Option<String> {
    let first = call.checkpoints.first()?;
    let ends = call.checkpoints.iter().skip(1).map(&of).chain([end]);
    let gaps = call
        .checkpoints
        .iter()
        .zip(ends)
        .map(|(checkpoint, end)| (end.saturating_sub(of(checkpoint)), checkpoint));
    let (longest, checkpoint) = gaps.max_by_key(|(gap, _)| *gap)?;
    // Before the first one it was longer still.
    (longest >= of(first)).then(|| checkpoint.label.clone())
}
