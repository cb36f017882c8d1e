//! Counters that many threads write and seldom share.
//!
//! Adding to a number that other threads may write costs 7 ns; to one that a single thread writes, less
//! than one. So the first threads of a process have a place of their own each, and all others share one.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// How many threads have a place of their own.
const OWN: usize = 4;

/// How many places there are: one for each of these threads, and one for all others.
pub const PLACES: usize = OWN + 1;

/// Who writes a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// One thread and no other.
    One,
    /// Any thread.
    Any,
}

/// A number that grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Begins with zero.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds to it; a writer that is the only one must be so.
    pub fn add(&self, writer: Writer, more: u64) {
        match writer {
            Writer::One => self.0.store(self.0.load(Relaxed).wrapping_add(more), Relaxed),
            Writer::Any => _ = self.0.fetch_add(more, Relaxed),
        }
    }

    /// Makes it at least so large.
    pub(super) fn raise(&self, least: u64) {
        // Most values are no record, and a look does not take the line from other threads.
        if least > self.0.load(Relaxed) {
            self.0.fetch_max(least, Relaxed);
        }
    }

    pub(super) fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// Returns the number, and begins again with zero.
    pub(super) fn take(&self) -> u64 {
        self.0.swap(0, Relaxed)
    }

    /// Returns the number.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that grows and shrinks; only the sum over all places means something.
#[derive(Debug, Default)]
pub(super) struct Gauge(AtomicI64);

impl Gauge {
    pub(super) fn add(&self, writer: Writer, more: i64) {
        match writer {
            Writer::One => self.0.store(self.0.load(Relaxed).wrapping_add(more), Relaxed),
            Writer::Any => _ = self.0.fetch_add(more, Relaxed),
        }
    }

    pub(super) fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// Where the current thread writes.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Which of the [`PLACES`] it is.
    pub index: usize,
    /// Who else may write there.
    pub writer: Writer,
}

impl Place {
    const SHARED: Self = Self { index: OWN, writer: Writer::Any };

    /// Returns the place of this thread, which has it until it ends.
    pub fn mine() -> Self {
        // A thread that is ending has given its own away already.
        SEAT.try_with(|seat| seat.0).unwrap_or(Self::SHARED)
    }
}

/// The places that are taken.
static TAKEN: Mutex<[bool; OWN]> = Mutex::new([false; OWN]);

thread_local! {
    static SEAT: Seat = Seat::take();
}

struct Seat(Place);

impl Seat {
    fn take() -> Self {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let free = taken.iter_mut().enumerate().find(|(_, taken)| !**taken);
        Self(free.map_or(Place::SHARED, |(index, taken)| {
            *taken = true;
            Place { index, writer: Writer::One }
        }))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // The lock orders what this thread wrote before what the next one there writes.
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = taken.get_mut(self.0.index) {
            *taken = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_threads_have_one_place_and_no_count_is_lost() {
        let counters: [Counter; PLACES] = Default::default();
        let gauges: [Gauge; PLACES] = Default::default();
        for _ in 0..3 {
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for _ in 0..100_000 {
                            let Place { index, writer } = Place::mine();
                            counters[index].add(writer, 1);
                            gauges[index].add(writer, 1);
                            gauges[index].add(writer, -1);
                        }
                    });
                }
            });
        }
        assert_eq!(counters.iter().map(Counter::get).sum::<u64>(), 2_400_000);
        assert_eq!(gauges.iter().map(Gauge::get).sum::<i64>(), 0);
    }
}
