//! The begin and the end of a run: what it adds to its component, and what the call that ran it reads.

use std::sync::Arc;
use std::time::Duration;

use super::counter::{Counter, Writer};
use super::frame::Frame;
use super::measured::Measured;
use super::notes::Child;
use super::poll::LONG;
use super::sql::{self, Query};
use super::ticks;
use super::totals::Sum;

impl Measured {
    /// Takes a frame for the run of a call, with when the call began, had its arguments, and had looked for a result.
    pub(super) fn run(self: &Arc<Self>, [called, decoded, looked]: [u64; 3]) -> Arc<Frame> {
        Frame::take(self, |frame| {
            frame.times.called.set(called);
            frame.times.decoded.set(decoded);
            frame.times.looked.set(looked);
            // What keeps its thread for long has time for the question what it did with it.
            let is_quick = self.pace.is_quick();
            // Of one that has not run nothing is known.
            frame.known_long = !is_quick && !(1..LONG).contains(&self.longest_poll.get());
            frame.sampled = self.shared.samples(is_quick);
        })
    }
}

impl Frame {
    /// Returns the span by which statements that run on another thread find their call.
    ///
    /// A span costs more than all else here, so there is one only where somebody hears of statements, and
    /// the component takes a shared value, as a pool is, or is called by one, or statements were seen that no
    /// call was found for.
    pub(super) fn span(self: &Arc<Self>) -> Option<tracing::Span> {
        let may_run = |measured: &Arc<Measured>| {
            !measured.def.needs.is_empty() || self.parent.is_some() || sql::seen_outside()
        };
        let wanted = sql::is_watched() && self.measured.as_ref().is_none_or(may_run);
        // The layer keeps the frame that is current with the span.
        let _current = wanted.then(|| self.enter());
        wanted.then(|| tracing::info_span!(target: "mcp_core::call", "call", component = self.component.1))
    }

    /// Notes that the run was not ready at its first poll.
    pub(super) fn waits(self: &Arc<Self>) {
        if let (Some(measured), 1) = (&self.measured, self.polls.polls.get())
            && let Some(slot) = measured.shared.active.enter(self)
        {
            self.slot.set(slot as u64 + 1);
        }
    }

    /// Writes what the run used up to its end, once, and gives the frame back.
    pub(super) fn end(self: Arc<Self>, now: u64) {
        let slot = self.slot.get();
        let Some(measured) = &self.measured else { return };
        if slot > 0 {
            self.slot.set(0);
            measured.shared.active.leave(slot as usize - 1);
        }
        let times = &self.times;
        let begun = times.begun.get();
        if begun == 0 {
            measured.add([(Sum::Unpolled, 1)]);
            self.give_back();
            return;
        }
        times.ended.set(now);
        // What was not reached lasted up to now.
        let reached = |time: &Counter| Some(time.get()).filter(|time| *time > 0).unwrap_or(now);
        let (entered, returned) = (reached(&times.entered), reached(&times.returned));
        let total = |of: fn(&super::frame::Meter) -> &Counter| of(&self.polls).get() + of(&self.others).get();
        let sums = [
            (Sum::Queue, entered.saturating_sub(begun)),
            (Sum::Function, returned.saturating_sub(entered)),
            (Sum::Encode, now.saturating_sub(returned)),
            (Sum::Busy, total(|meter| &meter.busy)),
            (Sum::Polls, self.polls.polls.get()),
            (Sum::Cpu, total(|meter| &meter.cpu)),
            (Sum::CpuBusy, total(|meter| &meter.cpu_busy)),
            (Sum::Bytes, total(|meter| &meter.bytes)),
            (Sum::Allocations, total(|meter| &meter.allocations)),
        ];
        measured.add_run(sums, self.longest_poll());
        if times.returned.get() > 0 {
            measured.took(returned.saturating_sub(entered));
        }
        measured.pace.note(Duration::from_nanos(total(|meter| &meter.busy)));
        if self.statements.get() > 0 {
            self.end_queries(measured);
        }
        if let Some(parent) = &self.parent {
            let start = parent.since_called(times.called.get());
            let (kind, name) = (measured.def.kind.word(), measured.def.name);
            parent.note(|notes| notes.child(Child { kind, name, start, took: self.since_called(now) }));
        }
        self.give_back();
    }

    fn end_queries(&self, measured: &Measured) {
        let repeated = self.queries.repeated(u64::from(measured.shared.options.repeated));
        repeated.iter().for_each(|repeated| repeated.statement.record_repeated());
        measured.add([
            (Sum::Queries, self.queries.count()),
            (Sum::QueryTime, ticks::nanos(self.queries.total())),
            (Sum::SlowQueries, self.queries.slow()),
            (Sum::Repeated, repeated.iter().map(|repeated| repeated.times).sum()),
        ]);
    }

    /// Returns whether the run repeated a statement so often that it could be one.
    pub(super) fn repeats(&self) -> bool {
        let Some(measured) = &self.measured else { return false };
        let least = u64::from(measured.shared.options.repeated);
        self.statements.get() >= least && !self.queries.repeated(least).is_empty()
    }

    /// Notes a statement.
    pub fn query(&self, query: Query) {
        let now = ticks::now();
        let start = self.since_called(now).saturating_sub(ticks::nanos(query.took));
        let after = self.note(|notes| notes.last());
        let (kind, name) = self.component;
        query.statement.seen_in(kind, name);
        self.queries.note(&query, Duration::from_nanos(start), after);
        self.statements.add(Writer::Any, 1);
    }

    /// Returns the statements so far.
    pub fn queries(&self) -> &sql::Queries {
        &self.queries
    }
}
