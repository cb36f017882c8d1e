//! What was measured of a component over some span of time, as numbers that add up.

use super::histogram::Counts;
use super::outcome::Outcome;
use crate::cache::CacheOutcome;

/// What is summed over calls; times are nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Sum {
    /// Reading the arguments.
    Decode,
    /// Looking for the result: its key, memory, and the levels below up to where the function starts.
    Lookup,
    /// Waiting for the run of another call, and for a finished run to be handed over.
    Wait,
    /// Waiting for a place among the calls that run at once.
    Queue,
    /// The function, shared values included.
    Function,
    /// Making bytes of what it returned, and voiding what it invalidates.
    Encode,
    /// Being polled: what keeps a worker of the runtime from other calls.
    Busy,
    /// How often runs were polled.
    Polls,
    /// Processor time of the runs whose processor time was taken.
    Cpu,
    /// Busy time of the same runs.
    CpuBusy,
    /// Bytes that runs allocated, without those of components that they called.
    Bytes,
    /// How often runs allocated.
    Allocations,
    /// SQL statements.
    Queries,
    /// Their time, up to when their rows were read or dropped.
    QueryTime,
    /// Those that were slow.
    SlowQueries,
    /// Statements that a call repeated so often that they could be one.
    Repeated,
    /// Calls that were slow.
    SlowCalls,
    /// Runs that a call had made ready and did not need: another's result was there.
    Unpolled,
}

/// How many sums there are.
pub(super) const SUMS: usize = Sum::Unpolled as usize + 1;

/// The sums that the time of a call is split into, with their names.
pub const PHASES: [(Sum, &str); 6] = [
    (Sum::Decode, "decode"),
    (Sum::Lookup, "lookup"),
    (Sum::Wait, "wait"),
    (Sum::Queue, "queue"),
    (Sum::Function, "function"),
    (Sum::Encode, "encode"),
];

/// What was measured of a component; those of two spans, threads or processes add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How often each outcome came with each outcome of the cache, where it did.
    outcomes: Vec<(u8, u64)>,
    /// Times of calls that ended well without a run.
    pub hits: Counts,
    /// Times of calls that ended well with a run.
    pub runs: Counts,
    /// Times of calls that did not end well.
    pub failed: Counts,
    sums: [u64; SUMS],
    /// The longest poll, in nanoseconds; of a difference, that of the whole time.
    pub longest_poll: u64,
}

/// Where a pair of outcomes is counted.
pub(super) fn pair(outcome: Outcome, cache: CacheOutcome) -> usize {
    outcome as usize * CacheOutcome::ALL.len() + cache as usize
}

/// How many pairs of outcomes there are.
pub(super) const PAIRS: usize = Outcome::ALL.len() * CacheOutcome::ALL.len();

impl Totals {
    /// Returns a sum.
    pub fn sum(&self, sum: Sum) -> u64 {
        self.sums.get(sum as usize).copied().unwrap_or_default()
    }

    /// Returns how many calls ended.
    pub fn calls(&self) -> u64 {
        self.outcomes.iter().map(|(_, calls)| calls).sum()
    }

    /// Returns how many calls ended so.
    pub fn ended(&self, outcome: Outcome) -> u64 {
        let of = |(pair, calls): &(u8, u64)| {
            (usize::from(*pair) / CacheOutcome::ALL.len() == outcome as usize).then_some(*calls)
        };
        self.outcomes.iter().filter_map(of).sum()
    }

    /// Returns how many results came from there.
    pub fn served(&self, cache: CacheOutcome) -> u64 {
        let of = |(pair, calls): &(u8, u64)| {
            (usize::from(*pair) % CacheOutcome::ALL.len() == cache as usize).then_some(*calls)
        };
        self.outcomes.iter().filter_map(of).sum()
    }

    /// Returns the times of all calls that ended well.
    pub fn wall(&self) -> Counts {
        let mut wall = self.hits.clone();
        wall.merge(&self.runs);
        wall
    }

    /// Adds another's.
    pub fn merge(&mut self, other: &Self) {
        for &(pair, calls) in &other.outcomes {
            self.count(pair, calls);
        }
        self.hits.merge(&other.hits);
        self.runs.merge(&other.runs);
        self.failed.merge(&other.failed);
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum = sum.wrapping_add(more);
        }
        self.longest_poll = self.longest_poll.max(other.longest_poll);
    }

    /// Returns what came since an earlier look at the same component.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |pair: u8| {
            earlier.outcomes.iter().find(|(other, _)| *other == pair).map_or(0, |(_, calls)| *calls)
        };
        let outcomes = self.outcomes.iter().map(|&(pair, calls)| (pair, calls.saturating_sub(before(pair))));
        let mut sums = self.sums;
        for (sum, before) in sums.iter_mut().zip(earlier.sums) {
            *sum = sum.wrapping_sub(before);
        }
        Self {
            outcomes: outcomes.filter(|(_, calls)| *calls > 0).collect(),
            hits: self.hits.since(&earlier.hits),
            runs: self.runs.since(&earlier.runs),
            failed: self.failed.since(&earlier.failed),
            sums,
            longest_poll: self.longest_poll,
        }
    }

    /// Returns every pair of outcomes that happened, by its number, and every sum, for those who keep them.
    pub fn numbers(&self) -> (&[(u8, u64)], &[u64]) {
        (&self.outcomes, &self.sums)
    }

    /// Sets what [`numbers`](Self::numbers) gave; numbers that this version does not know are left out.
    pub fn set_numbers(
        &mut self,
        outcomes: impl IntoIterator<Item = (u8, u64)>,
        sums: impl IntoIterator<Item = u64>,
    ) {
        self.outcomes.clear();
        for (pair, calls) in outcomes.into_iter().filter(|(pair, _)| usize::from(*pair) < PAIRS) {
            self.count(pair, calls);
        }
        self.sums = [0; SUMS];
        for (sum, value) in self.sums.iter_mut().zip(sums) {
            *sum = value;
        }
    }

    pub(super) fn count(&mut self, pair: u8, calls: u64) {
        match self.outcomes.iter_mut().find(|(other, _)| *other == pair) {
            Some((_, total)) => *total += calls,
            None => self.outcomes.push((pair, calls)),
        }
    }

    pub(super) fn add(&mut self, sum: usize, more: u64) {
        if let Some(sum) = self.sums.get_mut(sum) {
            *sum = sum.wrapping_add(more);
        }
    }
}
