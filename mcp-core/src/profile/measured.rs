//! What is measured of one component: written by every call, read by whoever wants a report.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use super::boundaries::Durations;
use super::counter::{Counter, Gauge, PLACES, Place, Writer};
use super::histogram::Histogram;
use super::outcome::Outcome;
use super::profiler::Shared;
use super::slow::Kept;
use super::totals::{PAIRS, SUMS, Sum, Totals, pair};
use super::windows::Windows;
use crate::cache::CacheOutcome;
use crate::component::Def;
use crate::pace::Pace;

/// The least time that is said to be unusual, in nanoseconds.
const LEAST_UNUSUAL: u64 = 50_000_000;

/// What was measured of one component of one server.
///
/// A component that nobody calls has room for nothing: its counters are made by its first call.
pub struct Measured {
    /// The component.
    pub def: &'static Def,
    pub(super) number: u32,
    pub(super) shared: Arc<Shared>,
    shards: [OnceLock<Box<Shard>>; PLACES],
    /// Of calls that did not end well, which are few: all threads have one.
    failed: OnceLock<Histogram>,
    pub(super) windows: Mutex<Option<Box<Windows>>>,
    pub(super) kept: Mutex<Option<Box<Kept>>>,
    pub(super) longest_poll: Counter,
    /// The longest of the slot of time that is not over.
    pub(super) recent_poll: Counter,
    /// When a call was caught last.
    pub(super) caught: Counter,
    pub(super) pace: Pace,
    /// How long the function takes of late, in nanoseconds; 0: it has not run.
    expected: Counter,
    /// From which time on a call is slow, in nanoseconds.
    slow: u64,
    /// From which time on it is slow for what is usual; 0: that is not known.
    unusual: Counter,
}

/// What the threads of one place have counted.
#[derive(Debug)]
struct Shard {
    pairs: [Counter; PAIRS],
    sums: [Counter; SUMS],
    active: Gauge,
    hits: OnceLock<Histogram>,
    runs: OnceLock<Histogram>,
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            pairs: [const { Counter::new() }; _],
            sums: [const { Counter::new() }; _],
            active: Gauge::default(),
            hits: OnceLock::new(),
            runs: OnceLock::new(),
        }
    }
}

impl Shard {
    /// Adds to sums that are known where this is called, so that nothing is left of their list.
    #[inline(always)]
    fn add<const N: usize>(&self, writer: Writer, sums: [(Sum, u64); N]) {
        for (sum, more) in sums {
            if more > 0 {
                self.sums[sum as usize].add(writer, more);
            }
        }
    }
}

impl Measured {
    pub(super) fn new(def: &'static Def, number: u32, shared: Arc<Shared>) -> Self {
        let slow = super::ticks::nanos(def.slow.unwrap_or(shared.options.slow));
        Self {
            def,
            number,
            shared,
            shards: [const { OnceLock::new() }; _],
            failed: OnceLock::new(),
            windows: Mutex::default(),
            kept: Mutex::default(),
            longest_poll: Counter::new(),
            recent_poll: Counter::new(),
            caught: Counter::new(),
            pace: Pace::default(),
            expected: Counter::new(),
            slow,
            unusual: Counter::new(),
        }
    }

    /// Returns what was measured since the start.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        totals.longest_poll = self.longest_poll.get();
        for shard in self.shards.iter().filter_map(OnceLock::get) {
            for (pair, count) in shard.pairs.iter().enumerate().filter(|(_, count)| count.get() > 0) {
                totals.count(pair as u8, count.get());
            }
            for (sum, value) in shard.sums.iter().enumerate() {
                totals.add(sum, value.get());
            }
            for (histogram, counts) in [(&shard.hits, &mut totals.hits), (&shard.runs, &mut totals.runs)] {
                if let Some(histogram) = histogram.get() {
                    histogram.add_to(counts);
                }
            }
        }
        if let Some(failed) = self.failed.get() {
            failed.add_to(&mut totals.failed);
        }
        totals
    }

    /// Returns how long calls took since the start: those that ended well without a run, with one, and the others.
    pub fn durations(&self) -> [Durations; 3] {
        let mut all = <[Durations; 3]>::default();
        let [hits, runs, failed] = &mut all;
        for shard in self.shards.iter().filter_map(OnceLock::get) {
            for (histogram, durations) in [(&shard.hits, &mut *hits), (&shard.runs, &mut *runs)] {
                if let Some(histogram) = histogram.get() {
                    histogram.add_durations(durations);
                }
            }
        }
        if let Some(histogram) = self.failed.get() {
            histogram.add_durations(failed);
        }
        all
    }

    /// Returns how long the function takes of late, an average that forgets; `None` where it has not run.
    pub fn expected(&self) -> Option<Duration> {
        Some(self.expected.get()).filter(|nanos| *nanos > 0).map(Duration::from_nanos)
    }

    pub(super) fn took(&self, function: u64) {
        let average = self.expected.get();
        // Two at once may lose one of their notes, which an average survives.
        self.expected.set(if average == 0 { function.max(1) } else { average - average / 8 + function / 8 });
    }

    /// Returns from which time on a call is slow, in nanoseconds.
    pub(super) fn limit(&self) -> u64 {
        match self.unusual.get() {
            0 => self.slow,
            unusual => self.slow.min(unusual),
        }
    }

    /// Sets the 95th percentile of late, and how many times that is unusual.
    pub(super) fn set_usual(&self, p95: Option<u64>, factor: f64) {
        let unusual = p95.map(|p95| ((p95 as f64 * factor) as u64).max(LEAST_UNUSUAL));
        self.unusual.set(unusual.unwrap_or(0));
    }

    /// Returns how many calls are under way.
    pub fn active(&self) -> u64 {
        let active: i64 = self.shards.iter().filter_map(OnceLock::get).map(|shard| shard.active.get()).sum();
        u64::try_from(active).unwrap_or(0)
    }

    pub(super) fn entered(&self) {
        let (shard, place) = self.shard();
        shard.active.add(place.writer, 1);
    }

    /// Writes how a call ended.
    #[inline(always)]
    pub(super) fn ended<const N: usize>(
        &self,
        outcome: Outcome,
        cache: CacheOutcome,
        wall: u64,
        sums: [(Sum, u64); N],
    ) {
        let (shard, Place { writer, .. }) = self.shard();
        shard.active.add(writer, -1);
        shard.pairs[pair(outcome, cache)].add(writer, 1);
        shard.add(writer, sums);
        let (histogram, writer) = match outcome {
            Outcome::Ok if cache.is_own_run() => (&shard.runs, writer),
            Outcome::Ok => (&shard.hits, writer),
            _ => (&self.failed, Writer::Any),
        };
        histogram.get_or_init(Histogram::default).record_as(writer, wall);
    }

    /// Adds to sums.
    #[inline(always)]
    pub(super) fn add<const N: usize>(&self, sums: [(Sum, u64); N]) {
        let (shard, Place { writer, .. }) = self.shard();
        shard.add(writer, sums);
    }

    /// Adds what a run used, with its longest poll.
    #[inline(always)]
    pub(super) fn add_run<const N: usize>(&self, sums: [(Sum, u64); N], longest: u64) {
        self.add(sums);
        self.longest_poll.raise(longest);
        self.recent_poll.raise(longest);
    }

    fn shard(&self) -> (&Shard, Place) {
        let place = Place::mine();
        (self.shards[place.index].get_or_init(Box::default), place)
    }
}

impl std::fmt::Debug for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Measured").field("component", &self.def.name).finish_non_exhaustive()
    }
}
