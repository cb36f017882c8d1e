//! Random numbers that are good enough to draw a sample by, at the price of two nanoseconds.

use std::cell::Cell;

thread_local! {
    static STATE: Cell<u64> = const { Cell::new(0) };
}

/// Returns 32 random bits.
pub(super) fn bits() -> u32 {
    let draw = |state: &Cell<u64>| {
        let mut x = match state.get() {
            0 => seed(),
            state => state,
        };
        // xorshift64*, Vigna 2016
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        state.set(x);
        (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    };
    STATE.try_with(draw).unwrap_or(u32::MAX)
}

fn seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};

    RandomState::new().hash_one(std::thread::current().id()) | 1
}
