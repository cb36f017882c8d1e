//! Random numbers for jitter and early refreshes.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A source of random numbers that threads share; good for spreading load, not for secrets.
///
/// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
pub(super) struct Chance(AtomicU64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Returns a number above 0, at most 1.
    pub(super) fn unit(&self) -> f64 {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut x = self.0.fetch_add(GOLDEN, Relaxed).wrapping_add(GOLDEN);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
        ((x >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_spread_over_their_range() {
        let chance = Chance::new(7);
        let drawn: Vec<f64> = (0..10_000).map(|_| chance.unit()).collect();
        assert!(drawn.iter().all(|&x| x > 0.0 && x <= 1.0));
        let mean = drawn.iter().sum::<f64>() / 10_000.0;
        assert!((0.48..0.52).contains(&mean), "{mean}");
    }
}
