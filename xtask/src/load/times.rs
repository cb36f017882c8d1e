//! How long requests took.

use std::time::Duration;

/// The times of requests in nanoseconds, up to 4.2 seconds each.
pub(crate) struct Times(Vec<u32>);

impl Times {
    /// Makes room for all requests of this time, so that none waits for it.
    pub(crate) fn for_a_run_of(time: Duration) -> Self {
        Self(Vec::with_capacity(time.as_secs() as usize * 200_000 + 100_000))
    }

    pub(super) fn push(&mut self, time: Duration) {
        self.0.push(u32::try_from(time.as_nanos()).unwrap_or(u32::MAX));
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the microseconds that this share of requests kept within.
    pub(crate) fn percentile(&mut self, share: f64) -> f64 {
        if self.0.is_empty() {
            return f64::NAN;
        }
        let at = ((self.0.len() - 1) as f64 * share).round() as usize;
        f64::from(*self.0.select_nth_unstable(at).1) / 1000.0
    }
}
