//! The times of calls, each kept in nanoseconds, so that percentiles are exact.

use serde::{Deserialize, Serialize};

use super::random::Random;

/// How many times a pass keeps; of more, each is kept with the same chance.
pub(super) const MOST: usize = 1_000_000;

/// In how many equal slices of time a pass is cut for comparisons.
pub(super) const SLICES: usize = 50;

/// The times of the calls of one pass.
#[derive(Clone, Debug)]
pub(super) struct Samples {
    kept: Vec<Sample>,
    seen: u64,
    longest: u64,
    most: usize,
    random: Random,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    slice: u8,
    nanos: u64,
}

/// The times below which so many of a hundred calls stayed, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Percentiles {
    pub(super) p50_ns: u64,
    pub(super) p90_ns: u64,
    pub(super) p99_ns: u64,
    pub(super) p999_ns: u64,
    pub(super) max_ns: u64,
}

impl Samples {
    /// Begins with none; `most` are kept.
    pub(super) fn new(most: usize, seed: u64) -> Self {
        Self { kept: Vec::new(), seen: 0, longest: 0, most: most.max(1), random: Random::new(seed) }
    }

    /// Notes a call of a slice.
    pub(super) fn note(&mut self, slice: usize, nanos: u64) {
        let sample = Sample { slice: slice.min(SLICES - 1) as u8, nanos };
        self.seen += 1;
        self.longest = self.longest.max(nanos);
        if self.kept.len() < self.most {
            self.kept.push(sample);
            return;
        }
        // Vitter's algorithm R: the n-th is kept with the chance most/n, in place of any.
        let place = self.random.below(self.seen);
        if let Some(place) = usize::try_from(place).ok().and_then(|place| self.kept.get_mut(place)) {
            *place = sample;
        }
    }

    /// Returns how many calls there were.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Makes one of what several connections noted.
    pub(super) fn merged(all: Vec<Self>) -> Self {
        let share = |samples: &Self| samples.kept.len() as f64 / samples.seen.max(1) as f64;
        // A connection that kept a smaller share of its calls would count for less: all are thinned to the least.
        let least = all.iter().filter(|samples| samples.seen > 0).map(share).fold(1.0, f64::min);
        let mut merged = Self::new(usize::MAX, 0);
        for mut samples in all {
            merged.seen += samples.seen;
            merged.longest = merged.longest.max(samples.longest);
            let keep = ((samples.seen as f64 * least).round() as usize).min(samples.kept.len());
            while samples.kept.len() > keep {
                let place = samples.random.below(samples.kept.len() as u64) as usize;
                samples.kept.swap_remove(place);
            }
            merged.kept.append(&mut samples.kept);
        }
        merged
    }

    /// Returns the percentiles; `None` where no call was noted.
    pub(super) fn percentiles(&self) -> Option<Percentiles> {
        let mut sorted: Vec<_> = self.kept.iter().map(|sample| sample.nanos).collect();
        sorted.sort_unstable();
        // The nearest rank: the least time that so many calls did not exceed.
        let at = |per_mille: usize| {
            let rank = (sorted.len() * per_mille).div_ceil(1_000).max(1);
            sorted.get(rank - 1).copied()
        };
        Some(Percentiles {
            p50_ns: at(500)?,
            p90_ns: at(900)?,
            p99_ns: at(990)?,
            p999_ns: at(999)?,
            max_ns: self.longest,
        })
    }

    /// Returns the median of each slice in which calls began.
    pub(super) fn slices(&self) -> Vec<u64> {
        let mut slices = vec![Vec::new(); SLICES];
        for sample in &self.kept {
            slices[usize::from(sample.slice)].push(sample.nanos);
        }
        slices.iter_mut().filter_map(|slice| median(slice)).collect()
    }
}

/// Returns the median, of two in the middle the lower; `None` of nothing.
pub(super) fn median<T: Ord + Copy>(values: &mut [T]) -> Option<T> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable(middle).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_all_times_sorted() {
        let mut random = Random::new(7);
        for calls in [1_usize, 2, 3, 10, 99, 100, 101, 999, 1_000, 1_001] {
            let mut samples = Samples::new(MOST, 0);
            let mut all: Vec<u64> = (0..calls).map(|_| random.below(1_000_000)).collect();
            all.iter().for_each(|nanos| samples.note(0, *nanos));
            all.sort_unstable();
            // The least time that at least so many per mille do not exceed, found by counting.
            let oracle = |per_mille: usize| {
                let enough = |limit: &&u64| {
                    all.iter().filter(|nanos| nanos <= limit).count() * 1_000 >= calls * per_mille
                };
                *all.iter().find(enough).unwrap()
            };
            let found = samples.percentiles().unwrap();
            assert_eq!(
                [found.p50_ns, found.p90_ns, found.p99_ns, found.p999_ns, found.max_ns],
                [oracle(500), oracle(900), oracle(990), oracle(999), *all.last().unwrap()],
                "{calls}"
            );
        }
        assert_eq!(Samples::new(MOST, 0).percentiles(), None);
    }

    #[test]
    fn what_does_not_fit_is_thinned_evenly_and_the_longest_is_known() {
        let mut samples = Samples::new(1_000, 1);
        (0..100_000).for_each(|nanos| samples.note(0, nanos));
        let found = samples.percentiles().unwrap();
        assert_eq!((samples.kept.len(), samples.seen(), found.max_ns), (1_000, 100_000, 99_999));
        // Of a thousand at random: four standard deviations of the median are 6 %.
        assert!((44_000..56_000).contains(&found.p50_ns), "{found:?}");
        assert!((86_000..94_000).contains(&found.p90_ns), "{found:?}");
    }

    #[test]
    fn a_connection_that_was_quick_counts_for_as_many_calls_as_it_made() {
        let (mut quick, mut slow) = (Samples::new(1_000, 1), Samples::new(1_000, 2));
        (0..9_000).for_each(|_| quick.note(0, 10));
        (0..1_000).for_each(|_| slow.note(0, 90));
        let merged = Samples::merged(vec![quick, slow, Samples::new(1_000, 3)]);
        let slow = merged.kept.iter().filter(|sample| sample.nanos == 90).count();
        assert_eq!((merged.seen(), merged.kept.len(), slow), (10_000, 1_111, 111));
    }

    #[test]
    fn slices_without_calls_are_left_out() {
        let mut samples = Samples::new(MOST, 0);
        for (slice, nanos) in [(0, 5), (0, 1), (0, 9), (7, 4), (7, 2), (999, 3)] {
            samples.note(slice, nanos);
        }
        assert_eq!(samples.slices(), [5, 2, 3]);
    }
}
