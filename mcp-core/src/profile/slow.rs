//! Calls that are worth a look: caught when they end, kept by how long they took and how new they are.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::allocator::counts_allocations;
use super::call::BLOCKS;
use super::counter::Counter;
use super::frame::{Frame, Meter};
use super::measured::Measured;
use super::outcome::Outcome;
use super::report::{CheckpointReport, ChildReport, Part, QueryReport, RepeatedReport, SlowCall};
use super::ticks::nanos;
use crate::cache::CacheOutcome;

/// How many of the worst, and how many of the last, are kept of a component.
const KEPT: usize = 15;

/// How many components have such calls kept.
pub(super) const COMPONENTS: u64 = 50;

/// The least time between two calls of a component that are caught, in nanoseconds, but for the worst: who is
/// refused may try a thousand times a second.
const BETWEEN: u64 = 100_000_000;

/// Why a call is worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Slow,
    Failed,
    Blocks,
    RepeatedSql,
    Hangs,
}

impl Why {
    fn word(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Failed => "failed",
            Self::Blocks => "blocks",
            Self::RepeatedSql => "repeated_sql",
            Self::Hangs => "hangs",
        }
    }
}

/// How a call that is caught ended, if it did.
pub(super) struct Ended {
    pub(super) why: Why,
    pub(super) outcome: Option<Outcome>,
    pub(super) cache: Option<CacheOutcome>,
    pub(super) now: u64,
}

/// The calls of a component that are kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The worst first.
    worst: Vec<Arc<SlowCall>>,
    /// The newest last.
    last: VecDeque<Arc<SlowCall>>,
    /// Those that hung when they were caught: since when, and as what they are kept.
    hung: VecDeque<(u64, String)>,
}

impl Kept {
    fn push(&mut self, call: &Arc<SlowCall>) {
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(Arc::clone(call));
        let at = self.worst.partition_point(|other| other.wall_ns >= call.wall_ns);
        if at < KEPT {
            self.worst.truncate(KEPT - 1);
            self.worst.insert(at, Arc::clone(call));
        }
    }

    /// Notes that a call which began then hangs.
    fn hangs(&mut self, since: u64, id: String) {
        if self.hung.len() == KEPT {
            self.hung.pop_front();
        }
        self.hung.push_back((since, id));
    }

    /// Returns which of those that hung it is.
    fn hung(&self, begins: [u64; 2]) -> Option<usize> {
        self.hung.iter().position(|(since, _)| begins.contains(since))
    }

    /// Forgets a call that hung, as it has ended; returns as what it was kept.
    fn forget_hung(&mut self, begins: [u64; 2]) -> Option<String> {
        let at = self.hung(begins)?;
        let (_, id) = self.hung.remove(at)?;
        self.worst.retain(|call| call.id != id);
        self.last.retain(|call| call.id != id);
        Some(id)
    }

    /// Returns whether a call that took so long is one of the worst.
    fn is_worst(&self, wall_ns: u64) -> bool {
        self.worst.len() < KEPT || self.worst.last().is_some_and(|last| wall_ns > last.wall_ns)
    }

    /// Returns each once, the newest first.
    pub(super) fn all(&self) -> Vec<Arc<SlowCall>> {
        let mut all: Vec<_> = self.last.iter().rev().cloned().collect();
        let older = self.worst.iter().filter(|call| !self.last.iter().any(|last| last.id == call.id));
        all.extend(older.cloned());
        all.sort_by_key(|call| std::cmp::Reverse(call.at_ms));
        all
    }
}

impl Measured {
    /// Catches a call; `times` is when it began, had its arguments, and had looked for a result.
    #[cold]
    pub(super) fn capture(&self, ended: &Ended, frame: Option<&Frame>, times: [u64; 3]) {
        let [called, ..] = times;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Of a poll that hung it is not known when its call began.
        let begins = [called, frame.map_or(called, |frame| frame.times.begun.get())];
        // It ended while it was looked at.
        if ended.why == Why::Hangs && frame.is_some_and(Frame::has_ended) {
            return;
        }
        let mut hung = None;
        match kept.as_mut() {
            Some(kept) if ended.why != Why::Hangs => hung = kept.forget_hung(begins),
            Some(kept) if kept.hung(begins).is_some() => return,
            _ => {}
        }
        let before = self.caught.get();
        let is_soon = before != 0 && ended.now.saturating_sub(before) < BETWEEN;
        let is_worst = kept.as_ref().is_none_or(|kept| kept.is_worst(ended.now.saturating_sub(called)));
        let is_told = ended.why == Why::Hangs || hung.is_some() || (ended.why == Why::Slow && is_worst);
        if is_soon && !is_told {
            return;
        }
        if kept.is_none() && !self.shared.may_keep() {
            return;
        }
        self.caught.set(ended.now);
        let mut call = self.caught(ended, frame, times);
        if let Some(id) = hung {
            call.id = id;
        }
        let call = Arc::new(call);
        let keeps = kept.get_or_insert_default();
        keeps.push(&call);
        if ended.why == Why::Hangs {
            keeps.hangs(called, call.id.clone());
        }
        drop(kept);
        self.shared.tell(call);
    }

    fn caught(&self, ended: &Ended, frame: Option<&Frame>, times: [u64; 3]) -> SlowCall {
        let [called, ..] = times;
        let counted = |bytes: u64| counts_allocations().then_some(bytes);
        let mut call = SlowCall {
            id: self.shared.next_id(),
            kind: self.def.kind.word().to_owned(),
            name: self.def.name.to_owned(),
            place: self.def.place.to_string(),
            at_ms: unix_ms(),
            why: ended.why.word().to_owned(),
            outcome: ended.outcome.map(|outcome| outcome.word().to_owned()),
            cache: ended.cache.map(|cache| cache.word().to_owned()),
            wall_ns: ended.now.saturating_sub(called),
            phases: phases(frame, times, ended.now),
            trace_id: self.trace(frame).map(|id| format!("{:032x}", u128::from_be_bytes(id))),
            ..SlowCall::default()
        };
        let Some(frame) = frame else { return call };
        let (polls, others) = (&frame.polls, &frame.others);
        call.busy_ns = frame.busy_at(ended.now);
        // What is done beside a long poll says nothing of why it was long.
        let beside = frame.polls.longest.get() < BLOCKS;
        let of_all = |of: fn(&Meter) -> &Counter| of(polls).get() + if beside { of(others).get() } else { 0 };
        call.cpu_busy_ns = of_all(|meter| &meter.cpu_busy);
        call.cpu_ns = (call.cpu_busy_ns > 0).then(|| of_all(|meter| &meter.cpu));
        call.polls = polls.polls.get();
        let open = frame.polled_since().map_or(0, |since| ended.now.saturating_sub(since));
        call.longest_poll_ns = frame.longest_poll().max(open);
        call.allocated_bytes = counted(polls.bytes.get() + others.bytes.get());
        call.allocations = counted(polls.allocations.get() + others.allocations.get());
        frame.note(|notes| {
            call.checkpoints = notes
                .checkpoints
                .iter()
                .map(|checkpoint| CheckpointReport {
                    label: checkpoint.label.to_owned(),
                    value: checkpoint.value,
                    at_ns: checkpoint.at,
                    busy_ns: checkpoint.busy,
                    allocated_bytes: counted(checkpoint.bytes),
                    queries: checkpoint.queries,
                })
                .collect();
            call.steps = notes.steps.iter().map(|step| part(step.label, step.start, step.took)).collect();
            call.children = notes
                .children
                .iter()
                .map(|child| ChildReport {
                    kind: child.kind.to_owned(),
                    name: child.name.to_owned(),
                    start_ns: child.start,
                    took_ns: child.took,
                })
                .collect();
            call.dropped.checkpoints = notes.dropped;
        });
        let queries = frame.queries();
        call.queries = queries
            .first()
            .into_iter()
            .map(|query| QueryReport {
                fingerprint: query.statement.fingerprint().to_string(),
                start_ns: nanos(query.start),
                took_ns: nanos(query.took),
                rows: query.rows,
                after: query.after.map(ToOwned::to_owned),
            })
            .collect();
        call.dropped.queries = queries.count().saturating_sub(call.queries.len() as u64);
        let repeated = queries.repeated(u64::from(self.shared.options.repeated));
        call.repeated = repeated
            .into_iter()
            .map(|repeated| RepeatedReport {
                fingerprint: repeated.statement.fingerprint().to_string(),
                times: repeated.times,
                total_ns: nanos(repeated.total),
                after: repeated.after.map(ToOwned::to_owned),
            })
            .collect();
        call
    }

    /// Who drops a call, or finds that it hangs, is in no trace: its run knows better.
    fn trace(&self, frame: Option<&Frame>) -> Option<[u8; 16]> {
        let noted = frame.and_then(|frame| frame.note(|notes| notes.trace));
        noted.or_else(|| self.shared.options.trace?())
    }

    /// Returns the calls that are kept, the newest first.
    pub fn slow_calls(&self) -> Vec<Arc<SlowCall>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().map(|kept| kept.all()).unwrap_or_default()
    }
}

/// The parts that a call's time was split into, those that took none left out.
fn phases(frame: Option<&Frame>, [called, decoded, looked]: [u64; 3], now: u64) -> Vec<Part> {
    let mut ends = vec![("decode", decoded)];
    match frame.map(|frame| &frame.times).filter(|times| times.begun.get() > 0) {
        Some(times) => {
            ends.push(("lookup", times.begun.get()));
            ends.push(("queue", times.entered.get()));
            ends.push(("function", times.returned.get()));
            ends.push(("encode", times.ended.get()));
        }
        None => ends.push(("lookup", looked)),
    }
    ends.push(("wait", now));
    // What was not reached lasted up to now, and what comes after it took nothing.
    let mut start = called;
    let parts = ends.into_iter().filter_map(|(name, end)| {
        let end = if end == 0 { now } else { end.clamp(start, now.max(start)) };
        let part = part(name, start - called, end - start);
        start = end;
        (part.took_ns > 0).then_some(part)
    });
    parts.collect()
}

fn part(name: &str, start_ns: u64, took_ns: u64) -> Part {
    Part { name: name.to_owned(), start_ns, took_ns }
}

/// Returns the milliseconds since 1970.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn call(id: usize, wall_ns: u64) -> Arc<SlowCall> {
        Arc::new(SlowCall { id: id.to_string(), wall_ns, at_ms: id as u64, ..SlowCall::default() })
    }

    proptest! {
        #[test]
        fn the_worst_and_the_last_are_kept(walls in prop::collection::vec(0_u64..1000, 0..200)) {
            let mut kept = Kept::default();
            walls.iter().enumerate().for_each(|(id, wall)| kept.push(&call(id, *wall)));
            let mut worst = walls.clone();
            worst.sort_unstable_by_key(|wall| std::cmp::Reverse(*wall));
            worst.truncate(KEPT);
            prop_assert_eq!(kept.worst.iter().map(|call| call.wall_ns).collect::<Vec<_>>(), worst);
            let last: Vec<_> = walls.iter().rev().take(KEPT).rev().copied().collect();
            prop_assert_eq!(kept.last.iter().map(|call| call.wall_ns).collect::<Vec<_>>(), last);
            let all = kept.all();
            prop_assert!(all.is_sorted_by(|a, b| a.at_ms > b.at_ms) && all.len() <= 2 * KEPT);
        }
    }
}
