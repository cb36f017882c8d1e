//! What was measured of each component.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cache::CacheOutcome;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With a result.
    Ok,
    /// With an error that the caller reads.
    ToolError,
    /// With an error that is hidden from the caller, a timeout, or no free place.
    Error,
    /// By the caller, while the function knew of it.
    Cancelled,
    /// By the caller, and the function was dropped.
    Dropped,
    /// With a panic.
    Panic,
    /// With a question to the user, which the repeated call answers.
    InputRequired,
}

impl Outcome {
    /// All outcomes in the order of the reports.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::ToolError,
        Self::Error,
        Self::Cancelled,
        Self::Dropped,
        Self::Panic,
        Self::InputRequired,
    ];

    /// Returns the word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ToolError => "tool_error",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Dropped => "dropped",
            Self::Panic => "panic",
            Self::InputRequired => "input_required",
        }
    }
}

impl CacheOutcome {
    /// All outcomes in the order of the reports.
    pub const ALL: [Self; 8] = [
        Self::Memory,
        Self::Shared,
        Self::Database,
        Self::Coalesced,
        Self::Computed,
        Self::Stale,
        Self::Negative,
        Self::Bypass,
    ];

    /// Returns the word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Shared => "shared",
            Self::Database => "database",
            Self::Coalesced => "coalesced",
            Self::Computed => "computed",
            Self::Stale => "stale",
            Self::Negative => "negative",
            Self::Bypass => "bypass",
        }
    }
}

/// The figures of one component, written by every call.
#[derive(Debug)]
pub struct Stats {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    cache: [AtomicU64; CacheOutcome::ALL.len()],
    slow: AtomicU64,
    latency: Histogram,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            outcomes: [const { AtomicU64::new(0) }; _],
            cache: [const { AtomicU64::new(0) }; _],
            slow: AtomicU64::new(0),
            latency: Histogram::default(),
        }
    }
}

impl Stats {
    /// Counts one call.
    pub fn record(&self, outcome: Outcome, cache: CacheOutcome, took: Duration, slow: bool) {
        self.outcomes[outcome as usize].fetch_add(1, Relaxed);
        self.cache[cache as usize].fetch_add(1, Relaxed);
        if slow {
            self.slow.fetch_add(1, Relaxed);
        }
        self.latency.record(took);
    }

    /// Returns the figures so far.
    pub fn snapshot(&self) -> Figures {
        let outcomes = Outcome::ALL
            .iter()
            .map(|outcome| (outcome.word().to_owned(), self.outcomes[*outcome as usize].load(Relaxed)));
        let cache = CacheOutcome::ALL
            .iter()
            .map(|outcome| (outcome.word().to_owned(), self.cache[*outcome as usize].load(Relaxed)));
        let outcomes: Vec<_> = outcomes.filter(|(_, calls)| *calls > 0).collect();
        Figures {
            calls: outcomes.iter().map(|(_, calls)| calls).sum(),
            outcomes,
            cache: cache.filter(|(_, calls)| *calls > 0).collect(),
            slow: self.slow.load(Relaxed),
            latency: self.latency.snapshot(),
        }
    }
}

/// The figures of one component at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Figures {
    /// How many calls ended.
    pub calls: u64,
    /// How they ended; outcomes that never happened are left out.
    pub outcomes: Vec<(String, u64)>,
    /// Where their results came from; ways never gone are left out.
    pub cache: Vec<(String, u64)>,
    /// How many were slow.
    pub slow: u64,
    /// How long they took.
    pub latency: Latency,
}

/// Percentiles of how long calls took, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs)]
pub struct Latency {
    pub mean: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub max: u64,
}

/// A log-linear histogram of nanoseconds: 32 buckets to each power of two.
///
/// A bucket is at most 1/32 of its value wide, so its middle is within 1.6 %. The largest value is
/// 2^42 ns (73 minutes); longer times fall into the last bucket. 9.5 KiB.
#[derive(Debug)]
struct Histogram {
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
    max: AtomicU64,
}

const SUB_BITS: u32 = 5;
const MAX_BITS: u32 = 42;
const BUCKETS: usize = ((MAX_BITS - SUB_BITS + 1) << SUB_BITS) as usize;

impl Default for Histogram {
    fn default() -> Self {
        let buckets = std::iter::repeat_with(|| AtomicU64::new(0)).take(BUCKETS).collect();
        Self { buckets, sum: AtomicU64::new(0), max: AtomicU64::new(0) }
    }
}

impl Histogram {
    fn record(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket(nanos)) {
            bucket.fetch_add(1, Relaxed);
        }
        self.sum.fetch_add(nanos, Relaxed);
        // Most calls are no record, and a look does not take the line from other threads.
        if nanos > self.max.load(Relaxed) {
            self.max.fetch_max(nanos, Relaxed);
        }
    }

    fn snapshot(&self) -> Latency {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        let calls: u64 = counts.iter().sum();
        let max = self.max.load(Relaxed);
        let at = |per_mille: u64| {
            let wanted = (calls * per_mille).div_ceil(1000).max(1);
            let mut seen = 0;
            let index = counts.iter().position(|count| {
                seen += count;
                seen >= wanted
            });
            index.map_or(0, middle).min(max)
        };
        Latency {
            mean: self.sum.load(Relaxed).checked_div(calls).unwrap_or(0),
            p50: at(500),
            p90: at(900),
            p99: at(990),
            max,
        }
    }
}

fn bucket(nanos: u64) -> usize {
    let nanos = nanos.min((1 << MAX_BITS) - 1);
    let magnitude = (64 - nanos.leading_zeros()).saturating_sub(SUB_BITS + 1);
    ((u64::from(magnitude) << SUB_BITS) + (nanos >> magnitude)) as usize
}

fn middle(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let magnitude = (bucket >> SUB_BITS).saturating_sub(1);
    let start = (bucket - (magnitude << SUB_BITS)) << magnitude;
    start + (1 << magnitude) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_near_the_middle_of_its_bucket() {
        for nanos in
            (0..60).map(|bit| 1_u64 << bit).flat_map(|power| [power, power + power / 3, power * 2 - 1])
        {
            let expected = nanos.min((1 << MAX_BITS) - 1);
            let error = middle(bucket(nanos)).abs_diff(expected);
            assert!(bucket(nanos) < BUCKETS && error * 60 <= expected, "{nanos}: off by {error}");
        }
    }

    #[test]
    fn percentiles_are_those_of_the_calls() {
        let stats = Stats::default();
        for millis in 1..=100 {
            stats.record(Outcome::Ok, CacheOutcome::Computed, Duration::from_millis(millis), millis > 90);
        }
        let figures = stats.snapshot();
        let near = |value: u64, millis: u64| value.abs_diff(millis * 1_000_000) * 50 < millis * 1_000_000;
        assert_eq!((figures.calls, figures.slow), (100, 10));
        assert!(near(figures.latency.p50, 50) && near(figures.latency.p99, 99), "{:?}", figures.latency);
        assert_eq!(figures.latency.max, 100_000_000);
        assert_eq!(figures.cache, [("computed".to_owned(), 100)]);
    }
}
