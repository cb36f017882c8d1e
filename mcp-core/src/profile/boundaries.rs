//! Where the buckets of durations end, for those who read them as buckets.

/// The boundaries of OpenTelemetry's conventions for MCP, in nanoseconds.
///
/// A time on a boundary counts below it. The source is
/// <https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/mcp/mcp.md>.
pub const BOUNDARIES: [u64; 14] = [
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
    1_000_000_000,
    2_000_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
    60_000_000_000,
    120_000_000_000,
    300_000_000_000,
];

/// Finer ones before them, for hits of the cache.
const FINER: [u64; 6] = [100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000];

/// The boundaries of the calls of components: finer ones first, then those of the conventions.
pub const COMPONENT_BOUNDARIES: [u64; FINER.len() + BOUNDARIES.len()] = {
    let mut all = [0; _];
    let (finer, rest) = all.split_at_mut(FINER.len());
    finer.copy_from_slice(&FINER);
    rest.copy_from_slice(&BOUNDARIES);
    all
};

/// How many calls took how long, to the nanosecond at each of the [`COMPONENT_BOUNDARIES`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// How many were within each boundary and not within the one before; the last has no boundary.
    pub buckets: [u64; COMPONENT_BOUNDARIES.len() + 1],
    /// The sum of all, in nanoseconds.
    pub sum: u64,
}

impl Durations {
    /// Returns how many there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Adds another's.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.buckets.iter_mut().zip(other.buckets) {
            *count += more;
        }
        self.sum = self.sum.wrapping_add(other.sum);
    }
}
