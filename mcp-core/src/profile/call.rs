//! One call of a component, from the reading of its arguments to its answer.

use std::sync::Arc;

use super::allocator::Allocated;
use super::frame::Frame;
use super::here::Here;
use super::measured::Measured;
use super::outcome::Outcome;
use super::slow::{Ended, Why};
use super::ticks;
use super::totals::Sum;
use crate::cache::CacheOutcome;

/// From which time on a poll is said to block the runtime, in nanoseconds.
///
/// Tokio's own advice is 10 to 100 µs between two awaits; this is where other calls notice.
pub(super) const BLOCKS: u64 = 10_000_000;

/// A call that takes longer is more likely one during which the machine slept, in nanoseconds: an hour.
const UNLIKELY: u64 = 3_600_000_000_000;

/// A call that is measured: where its time goes, and how it ends.
#[derive(Debug)]
#[must_use = "a call is counted when it ends"]
pub struct Call<'a> {
    measured: &'a Arc<Measured>,
    called: u64,
    decoded: u64,
    looked: u64,
    frame: Option<Arc<Frame>>,
    /// Whether nothing is kept of it.
    bypasses: bool,
}

impl<'a> Call<'a> {
    pub(super) fn begin(measured: &'a Arc<Measured>) -> Self {
        measured.entered();
        Self { measured, called: ticks::now(), decoded: 0, looked: 0, frame: None, bypasses: false }
    }

    /// Notes that the arguments are in their types.
    pub fn decoded(&mut self) {
        self.decoded = ticks::now();
    }

    /// Notes that memory has no result, and returns the frame of the run that is made ready.
    pub fn looked(&mut self) -> Arc<Frame> {
        self.runs(ticks::now())
    }

    /// Returns the frame of the run that is made ready, where there is nowhere to look for a result.
    pub fn bypassed(&mut self) -> Arc<Frame> {
        self.bypasses = true;
        self.runs(self.decoded)
    }

    fn runs(&mut self, looked: u64) -> Arc<Frame> {
        self.looked = looked;
        let frame = self.measured.run([self.called, self.decoded, self.looked]);
        self.frame = Some(Arc::clone(&frame));
        frame
    }

    /// Writes how the call ended.
    pub fn end(mut self, outcome: Outcome, cache: CacheOutcome) {
        let allocated = Allocated::now();
        let frame = self.frame.take();
        let run = frame.as_deref().filter(|frame| frame.times.begun.get() > 0);
        let over = run.map_or(0, |run| run.times.ended.get());
        // A run that nothing is kept of ends its call.
        let now = if over > 0 && self.bypasses { over } else { ticks::now() };
        let wall = now.saturating_sub(self.called);
        if now < self.called || wall > UNLIKELY {
            self.measured.shared.note_clock();
        }
        let decoded = if self.decoded == 0 { now } else { self.decoded };
        let looked = if self.looked == 0 { now } else { self.looked };
        let (lookup, wait) = match run {
            Some(run) => {
                let wait = if over == 0 { 0 } else { now.saturating_sub(over) };
                (run.times.begun.get().saturating_sub(decoded), wait)
            }
            None => (looked.saturating_sub(decoded), now.saturating_sub(looked)),
        };
        let slow = wall > self.measured.limit();
        let sums = [
            (Sum::Decode, decoded.saturating_sub(self.called)),
            (Sum::Lookup, lookup),
            (Sum::Wait, wait),
            (Sum::SlowCalls, u64::from(slow)),
        ];
        self.measured.ended(outcome, cache, wall, sums);
        let why = match run {
            _ if slow => Some(Why::Slow),
            _ if outcome.is_failure() => Some(Why::Failed),
            Some(run) if run.longest_poll() >= BLOCKS => Some(Why::Blocks),
            Some(run) if run.repeats() => Some(Why::RepeatedSql),
            _ => None,
        };
        if let Some(why) = why {
            let ended = Ended { why, outcome: Some(outcome), cache: Some(cache), now };
            let times = [self.called, decoded, looked];
            self.measured.capture(&ended, frame.as_deref(), times);
        }
        if let Some(frame) = frame {
            frame.give_back();
        }
        let own = Allocated::now().since(allocated);
        if own.count > 0 {
            // The run that called this one has not allocated what is kept of it.
            Here::with(|here| here.nest(here.nested().and(0, own)));
        }
    }
}
