//! Histograms: how often which value was seen, in little space.

use super::boundaries::{COMPONENT_BOUNDARIES, Durations};
use super::counter::{Counter, Writer};

/// Buckets to each power of two, as a power of two.
const SUB_BITS: u32 = 5;

/// The largest value told apart: 2^42 ns are 73 minutes.
const MAX_BITS: u32 = 42;

const BUCKETS: usize = ((MAX_BITS - SUB_BITS + 1) << SUB_BITS) as usize;

/// A bucket that a boundary is in is two: what is on either side of it is counted apart.
const CELLS: usize = BUCKETS + COMPONENT_BOUNDARIES.len();

/// How far a percentile may be off, as a share of the value.
pub const ERROR_BOUND: f64 = 1.0 / 64.0;

/// A log-linear histogram of nanoseconds that any thread may write: 32 buckets to each power of two.
///
/// A bucket is at most 1/32 of its value wide, so its middle is within 1/64 ([`ERROR_BOUND`]). Longer times
/// than 73 minutes fall into the last bucket. The count is the sum of the buckets and nothing else, so
/// that both always agree. 9.7 KiB.
#[derive(Debug)]
pub struct Histogram {
    cells: Box<[Counter]>,
    sum: Counter,
    max: Counter,
}

impl Default for Histogram {
    fn default() -> Self {
        let cells = std::iter::repeat_with(Counter::default).take(CELLS).collect();
        Self { cells, sum: Counter::default(), max: Counter::default() }
    }
}

impl Histogram {
    /// Notes one value.
    pub fn record(&self, nanos: u64) {
        self.record_as(Writer::Any, nanos);
    }

    pub(super) fn record_as(&self, writer: Writer, nanos: u64) {
        if let Some(cell) = self.cells.get(cell(nanos)) {
            cell.add(writer, 1);
        }
        self.sum.add(writer, nanos);
        self.max.raise(nanos);
    }

    /// Adds what was seen so far.
    pub fn add_to(&self, counts: &mut Counts) {
        let seen = self.seen().map(|(bucket, _, count)| (bucket, count));
        counts.add(seen, self.sum.get(), self.max.get());
    }

    /// Adds what was seen so far, by the boundaries.
    pub fn add_durations(&self, durations: &mut Durations) {
        for (_, below, count) in self.seen() {
            if let Some(total) = durations.buckets.get_mut(below) {
                *total += count;
            }
        }
        durations.sum = durations.sum.wrapping_add(self.sum.get());
    }

    /// Returns what was counted in each cell: its bucket, which boundary it is below, and how many.
    fn seen(&self) -> impl Iterator<Item = (usize, usize, u64)> + '_ {
        let seen = cells().zip(&self.cells).map(|((bucket, below), count)| (bucket, below, count.get()));
        seen.filter(|(_, _, count)| *count > 0)
    }
}

/// What a histogram has seen: the buckets that are not empty, in their order.
///
/// Those of two threads, processes or spans of time add up; percentiles never do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    buckets: Vec<Bucket>,
    /// The sum of all values.
    pub sum: u64,
    /// The largest value; of a difference, that of the later.
    pub max: u64,
}

/// Which bucket, and what is in it; in one word, as windows of time are made of many.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Bucket(u64);

impl Bucket {
    /// How many bits the count has: enough for three million values a second over three years.
    const COUNT: u32 = 48;

    fn new(index: usize, count: u64) -> Self {
        Self((index as u64) << Self::COUNT | count.min((1 << Self::COUNT) - 1))
    }

    fn index(self) -> usize {
        (self.0 >> Self::COUNT) as usize
    }

    fn count(self) -> u64 {
        self.0 & ((1 << Self::COUNT) - 1)
    }
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.index(), self.count())
    }
}

impl Counts {
    /// Returns how many values there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.count()).sum()
    }

    /// Returns the mean; 0 where there is nothing.
    pub fn mean(&self) -> u64 {
        self.sum.checked_div(self.count()).unwrap_or(0)
    }

    /// Adds another's values.
    pub fn merge(&mut self, other: &Self) {
        let seen = other.buckets.iter().map(|bucket| (bucket.index(), bucket.count()));
        self.add(seen, other.sum, other.max);
    }

    /// Returns what came since an earlier look at the same histogram.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut before = earlier.buckets.iter().peekable();
        let new = self.buckets.iter().filter_map(|bucket| {
            while before.next_if(|other| other.index() < bucket.index()).is_some() {}
            let old = before.next_if(|other| other.index() == bucket.index()).map_or(0, |old| old.count());
            let new = bucket.count().saturating_sub(old);
            (new > 0).then(|| Bucket::new(bucket.index(), new))
        });
        let buckets: Vec<_> = new.collect();
        // The largest of a span of time is known to its bucket, unless the span made the record.
        let top = buckets.last().map_or(0, |bucket| end(bucket.index()));
        Self { buckets, sum: self.sum.wrapping_sub(earlier.sum), max: self.max.min(top) }
    }

    /// Returns the value that a share of the values, in thousandths, is no larger than; `None` of nothing.
    ///
    /// Off by at most [`ERROR_BOUND`].
    pub fn quantile(&self, per_mille: u64) -> Option<u64> {
        let wanted = (self.count() * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        let found = self.buckets.iter().find(|bucket| {
            seen += bucket.count();
            seen >= wanted
        });
        found.map(|bucket| middle(bucket.index()).min(self.max))
    }

    /// Returns the buckets that are not empty, and what is in them.
    pub fn buckets(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.buckets.iter().map(|bucket| (bucket.index(), bucket.count()))
    }

    /// Makes it of what [`buckets`](Self::buckets) gave; `None` where a bucket does not exist.
    pub fn of(buckets: impl IntoIterator<Item = (usize, u64)>, sum: u64, max: u64) -> Option<Self> {
        let mut counts = Self::default();
        for (index, count) in buckets {
            if index >= BUCKETS {
                return None;
            }
            counts.add(std::iter::once((index, count)), 0, 0);
        }
        (counts.sum, counts.max) = (sum, max);
        Some(counts)
    }

    fn add(&mut self, seen: impl Iterator<Item = (usize, u64)>, sum: u64, max: u64) {
        let mut at = 0;
        for (index, count) in seen {
            at += self.buckets.get(at..).unwrap_or_default().partition_point(|other| other.index() < index);
            match self.buckets.get_mut(at) {
                Some(there) if there.index() == index => *there = Bucket::new(index, there.count() + count),
                _ => self.buckets.insert(at, Bucket::new(index, count)),
            }
        }
        self.sum = self.sum.wrapping_add(sum);
        self.max = self.max.max(max);
    }
}

/// Returns where a value is counted.
///
/// Its bucket and the boundary that it is below both grow with it, so that no two pairs of them have one sum.
fn cell(nanos: u64) -> usize {
    bucket(nanos) + below(nanos)
}

/// Returns each cell's bucket and which boundary it is below, in their order.
fn cells() -> impl Iterator<Item = (usize, usize)> {
    (0..BUCKETS).flat_map(|bucket| {
        let (first, last) = (below(start(bucket).0), below(end(bucket)));
        (first..=last).map(move |below| (bucket, below))
    })
}

fn bucket(nanos: u64) -> usize {
    let nanos = nanos.min((1 << MAX_BITS) - 1);
    let magnitude = magnitude(nanos);
    (((magnitude as u64) << SUB_BITS) + (nanos >> magnitude)) as usize
}

/// Returns which of the boundaries is the first that a value is not above.
fn below(nanos: u64) -> usize {
    let Octave { before, boundary } = OCTAVES[magnitude(nanos.min((1 << MAX_BITS) - 1))];
    before + usize::from(nanos > boundary)
}

fn magnitude(nanos: u64) -> usize {
    (64 - nanos.leading_zeros()).saturating_sub(SUB_BITS + 1) as usize
}

/// What there is of boundaries among the values of one magnitude: each is at least twice the one before.
#[derive(Clone, Copy)]
struct Octave {
    /// How many are below.
    before: usize,
    /// The one there is; none: no value is above it.
    boundary: u64,
}

/// By magnitude: looked up while a value is counted, where a search would take longer than the counting.
static OCTAVES: [Octave; (MAX_BITS - SUB_BITS) as usize] = {
    let mut octaves = [Octave { before: 0, boundary: u64::MAX }; _];
    let (mut octave, mut next) = (0, 0);
    while octave < octaves.len() {
        octaves[octave].before = next;
        if next < COMPONENT_BOUNDARIES.len()
            && COMPONENT_BOUNDARIES[next] >> (octave as u32 + SUB_BITS + 1) == 0
        {
            octaves[octave].boundary = COMPONENT_BOUNDARIES[next];
            next += 1;
        }
        octave += 1;
    }
    assert!(next == COMPONENT_BOUNDARIES.len(), "each boundary has a magnitude of its own");
    octaves
};

/// The first value of a bucket, and by how many values it is wide.
fn start(bucket: usize) -> (u64, u64) {
    let bucket = bucket as u64;
    let magnitude = (bucket >> SUB_BITS).saturating_sub(1);
    ((bucket - (magnitude << SUB_BITS)) << magnitude, 1 << magnitude)
}

fn middle(bucket: usize) -> u64 {
    let (start, width) = start(bucket);
    start + width / 2
}

fn end(bucket: usize) -> u64 {
    let (start, width) = start(bucket);
    if bucket + 1 == BUCKETS { u64::MAX } else { start + width - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts(values: &[u64]) -> Counts {
        let (histogram, mut counts) = (Histogram::default(), Counts::default());
        values.iter().for_each(|value| histogram.record(*value));
        histogram.add_to(&mut counts);
        counts
    }

    proptest! {
        #[test]
        fn every_value_is_in_its_bucket(nanos in any::<u64>(), other in any::<u64>()) {
            let capped = nanos.min((1 << MAX_BITS) - 1);
            let (first, width) = start(bucket(nanos));
            prop_assert!(bucket(nanos) < BUCKETS && (first..=end(bucket(nanos))).contains(&capped));
            prop_assert!(capped < 64 && width == 1 || width * 32 <= first, "{}: {} wide", first, width);
            prop_assert_eq!(bucket(nanos) <= bucket(other), nanos.min(other) == nanos || bucket(nanos) == bucket(other));
        }

        #[test]
        fn each_side_of_a_boundary_is_counted_apart(
            nanos in any::<u64>(), near in prop::sample::select(COMPONENT_BOUNDARIES.to_vec()), by in -2_i64..3,
        ) {
            for nanos in [nanos, nanos >> 22, near.saturating_add_signed(by)] {
                let exactly = COMPONENT_BOUNDARIES.partition_point(|boundary| nanos > *boundary);
                prop_assert_eq!(below(nanos), exactly, "{}", nanos);
                prop_assert_eq!(cells().nth(cell(nanos)), Some((bucket(nanos), exactly)), "{}", nanos);
            }
        }

        #[test]
        fn durations_are_exact_at_each_boundary(
            values in prop::collection::vec((prop::sample::select(COMPONENT_BOUNDARIES.to_vec()), -1_i64..2), 0..60),
        ) {
            let values: Vec<_> = values.into_iter().map(|(near, by)| near.saturating_add_signed(by)).collect();
            let (histogram, mut durations) = (Histogram::default(), Durations::default());
            values.iter().for_each(|value| histogram.record(*value));
            histogram.add_durations(&mut durations);
            let mut seen = 0;
            for (boundary, count) in COMPONENT_BOUNDARIES.iter().zip(durations.buckets) {
                seen += count;
                let exactly = values.iter().filter(|value| **value <= *boundary).count();
                prop_assert_eq!(seen, exactly as u64, "up to {}", boundary);
            }
            prop_assert_eq!(durations.count(), values.len() as u64);
            prop_assert_eq!(durations.sum, values.iter().sum::<u64>());
            prop_assert_eq!(counts(&values).count(), durations.count());
        }

        #[test]
        fn histograms_add_up(a in prop::collection::vec(any::<u32>(), 0..60), b in prop::collection::vec(any::<u32>(), 0..60)) {
            let wide = |values: &[u32]| values.iter().map(|value| u64::from(*value)).collect::<Vec<_>>();
            let (a, b) = (wide(&a), wide(&b));
            let all = counts(&[a.clone(), b.clone()].concat());
            let (mut left, mut right) = (counts(&a), counts(&b));
            left.merge(&counts(&b));
            right.merge(&counts(&a));
            prop_assert_eq!(&left, &all);
            prop_assert_eq!(&right, &all);
            prop_assert_eq!(all.count(), (a.len() + b.len()) as u64);

            let since = all.since(&counts(&a));
            prop_assert_eq!(since.buckets().collect::<Vec<_>>(), counts(&b).buckets().collect::<Vec<_>>());
            prop_assert_eq!(since.sum, counts(&b).sum);
            prop_assert!(since.max >= counts(&b).max);
            prop_assert_eq!(Counts::of(all.buckets(), all.sum, all.max), Some(all));
        }
    }

    #[test]
    fn cells_have_no_gap() {
        assert!(cells().enumerate().all(|(index, (bucket, below))| index == bucket + below));
        assert_eq!(cells().count(), CELLS);
    }

    /// Evenly spread numbers that are always the same.
    fn random() -> impl Iterator<Item = f64> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        std::iter::repeat_with(move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        })
    }

    #[test]
    fn percentiles_are_within_their_bound() {
        let uniform = random().map(|unit| 1e3 + unit * 1e6).take(20_000).collect::<Vec<_>>();
        let mut units = random();
        let normal: Vec<_> =
            std::iter::repeat_with(|| units.by_ref().take(12).sum::<f64>() - 6.0).take(20_000).collect();
        let log_normal = normal.iter().map(|normal| (13.0 + normal).exp()).collect();
        let bimodal = normal
            .iter()
            .enumerate()
            .map(|(index, normal)| if index % 5 == 0 { 5e7 + normal * 1e6 } else { 2e4 + normal * 1e3 });
        let distributions: [(&str, Vec<f64>); 5] = [
            ("uniform", uniform),
            ("log-normal", log_normal),
            ("bimodal", bimodal.collect()),
            ("constant", vec![123_456.0; 1000]),
            ("single", vec![7e9]),
        ];
        for (name, values) in distributions {
            let mut exact: Vec<_> = values.iter().map(|value| *value as u64).collect();
            let counts = counts(&exact);
            exact.sort_unstable();
            for per_mille in [500, 900, 950, 990, 999, 1000] {
                let rank = (exact.len() * per_mille).div_ceil(1000).max(1);
                let (exact, found) = (exact[rank - 1], counts.quantile(per_mille as u64).unwrap());
                let error = found.abs_diff(exact) as f64 / exact as f64;
                assert!(error <= ERROR_BOUND, "{name}, {per_mille}: {found} for {exact}");
            }
        }
        assert_eq!(Counts::default().quantile(500), None);
    }

    #[test]
    fn nothing_is_lost_under_threads() {
        let histogram = Histogram::default();
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let histogram = &histogram;
                scope.spawn(move || {
                    (0..1_000_000).for_each(|value| histogram.record(thread * 1_000_000 + value));
                });
            }
        });
        let mut counts = Counts::default();
        histogram.add_to(&mut counts);
        assert_eq!(counts.count(), 8_000_000);
        assert_eq!((counts.sum, counts.max), (8_000_000 * 7_999_999 / 2, 7_999_999));
    }
}
