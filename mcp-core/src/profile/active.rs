//! The runs that wait: who hangs there tells nobody.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::frame::Frame;
use super::here::Seat;
use super::profiler::Profiler;
use super::slow::{Ended, Why};
use super::ticks;

/// How many runs are watched at once.
const MOST: usize = 16_384;

/// How many times its slow time a call has to run to be said to hang.
const HANGS: u64 = 10;

/// The runs that have been polled and were not ready.
#[derive(Debug, Default)]
pub(super) struct Active {
    runs: Mutex<Runs>,
    dropped: AtomicU64,
    /// Polls that were told of: number and begin.
    told: Mutex<HashSet<(u64, u64)>>,
}

#[derive(Debug, Default)]
struct Runs {
    slots: Vec<Option<Arc<Frame>>>,
    free: Vec<usize>,
}

impl Active {
    /// Watches a run; returns where, for [`leave`](Self::leave).
    pub(super) fn enter(&self, frame: &Arc<Frame>) -> Option<usize> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = match runs.free.pop() {
            Some(slot) => slot,
            None if runs.slots.len() < MOST => {
                runs.slots.push(None);
                runs.slots.len() - 1
            }
            None => {
                self.dropped.fetch_add(1, Relaxed);
                return None;
            }
        };
        if let Some(place) = runs.slots.get_mut(slot) {
            *place = Some(Arc::clone(frame));
        }
        Some(slot)
    }

    pub(super) fn leave(&self, slot: usize) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let left = runs.slots.get_mut(slot).and_then(Option::take);
        if left.is_some() {
            runs.free.push(slot);
        }
        drop(runs);
        drop(left);
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    fn all(&self) -> Vec<Arc<Frame>> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.slots.iter().flatten().cloned().collect()
    }
}

impl Profiler {
    /// Catches calls that run for ten times the time that makes them slow, each once.
    pub(super) fn look_for_hangs(&self) {
        let now = ticks::now();
        for frame in self.shared.active.all() {
            let Some(measured) = &frame.measured else { continue };
            let called = frame.times.called.get();
            if now.saturating_sub(called) > measured.limit().saturating_mul(HANGS) && frame.told.get() == 0 {
                frame.told.set(1);
                let ended = Ended { why: Why::Hangs, outcome: None, cache: None, now };
                let times = [called, frame.times.decoded.get(), frame.times.looked.get()];
                measured.capture(&ended, Some(&frame), times);
            }
        }
        self.look_for_long_polls(now);
    }

    /// A poll that does not end cannot be asked; its thread says whose it is.
    fn look_for_long_polls(&self, now: u64) {
        let polls = Seat::all();
        let mut told = self.shared.active.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|poll| polls.contains(poll));
        for (number, since) in polls {
            let (profiler, component) = Frame::of_number(number);
            let measured =
                (profiler == self.shared.number).then(|| self.components().get(component)).flatten();
            let Some(measured) = measured else { continue };
            if now.saturating_sub(since) > measured.limit().saturating_mul(HANGS)
                && told.insert((number, since))
            {
                let ended = Ended { why: Why::Hangs, outcome: None, cache: None, now };
                measured.capture(&ended, None, [since, since, since]);
            }
        }
    }
}
