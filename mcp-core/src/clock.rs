//! The time that freshness is measured by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A monotonic clock: the machine's, or one that a test moves by hand.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Real(Instant),
    Fake(Arc<AtomicU64>),
}

impl Default for Clock {
    fn default() -> Self {
        Self(Source::Real(Instant::now()))
    }
}

impl Clock {
    /// Creates a clock that stands still until [`FakeClock::advance`] moves it.
    pub fn fake() -> (Self, FakeClock) {
        let nanos = Arc::new(AtomicU64::new(0));
        (Self(Source::Fake(Arc::clone(&nanos))), FakeClock(nanos))
    }

    /// Returns the time since this clock was made.
    pub fn now(&self) -> Duration {
        match &self.0 {
            Source::Real(start) => start.elapsed(),
            Source::Fake(nanos) => Duration::from_nanos(nanos.load(Relaxed)),
        }
    }
}

/// The hand of a clock made by [`Clock::fake`].
#[derive(Clone, Debug)]
pub struct FakeClock(Arc<AtomicU64>);

impl FakeClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}
