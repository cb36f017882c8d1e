//! The runs that wait: who hangs there tells nobody.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::counter::Counter;
use super::frame::Frame;
use super::here::Seat;
use super::measured::Measured;
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
    /// Catches calls that hang, each once.
    pub(super) fn look_for_hangs(&self) {
        let now = ticks::now();
        let runs = self.shared.active.all();
        for frame in &runs {
            let Some(measured) = &frame.measured else { continue };
            let times = [&frame.times.called, &frame.times.decoded, &frame.times.looked].map(Counter::get);
            measured.catch_hanging(Some(frame), times, now, || {
                let is_new = frame.told.get() == 0;
                frame.told.set(1);
                is_new
            });
        }
        // A first poll that does not end is of no run that waits; its thread says whose it is.
        let polls: Vec<_> = Seat::all()
            .into_iter()
            .filter(|(number, since)| {
                !runs.iter().any(|run| run.number == *number && run.polled_since() == Some(*since))
            })
            .collect();
        let mut told = self.shared.active.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|poll| polls.contains(poll));
        for (number, since) in polls {
            let (profiler, component) = Frame::of_number(number);
            let measured =
                (profiler == self.shared.number).then(|| self.components().get(component)).flatten();
            if let Some(measured) = measured {
                measured.catch_hanging(None, [since; 3], now, || told.insert((number, since)));
            }
        }
    }
}

impl Measured {
    /// Catches a call that runs for ten times the time that makes it slow, where that is new.
    fn catch_hanging(&self, frame: Option<&Frame>, times: [u64; 3], now: u64, is_new: impl FnOnce() -> bool) {
        let [called, ..] = times;
        if now.saturating_sub(called) > self.limit().saturating_mul(HANGS) && is_new() {
            let ended = Ended { why: Why::Hangs, outcome: None, cache: None, now };
            self.capture(&ended, frame, times);
        }
    }
}
