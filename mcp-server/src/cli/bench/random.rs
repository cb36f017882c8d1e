//! Numbers at random that are the same for the same seed, so that a comparison can be repeated.

/// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// Begins with a seed, of which any will do.
    pub(super) fn new(seed: u64) -> Self {
        // Neighbouring seeds give unlike sequences by one step of splitmix64, and no state is 0.
        let mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((mixed ^ (mixed >> 31)) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Returns a number below a limit; 0 where the limit is.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        // The high half of a product is even enough: limits here are far below 2^64.
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_even_sequence() {
        let counts = |seed| {
            let mut random = Random::new(seed);
            let mut counts = [0_u32; 8];
            (0..80_000).for_each(|_| counts[random.below(8) as usize] += 1);
            counts
        };
        assert_eq!(counts(1), counts(1));
        assert_ne!(counts(1), counts(2));
        // Six standard deviations of a fair die.
        assert!(counts(3).iter().all(|count| (9_430..10_570).contains(count)), "{:?}", counts(3));
        assert_eq!(Random::new(0).below(0), 0);
    }
}
