//! How long a component keeps the thread that calls it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Below this a call is over sooner than it could be handed to another thread, in nanoseconds.
const QUICK: u64 = 50_000;

/// What a component is thought to take that has not been called: it has to prove itself.
const UNKNOWN: u64 = 32 * QUICK;

/// How long a component keeps the thread that calls it: an average that forgets, in nanoseconds.
///
/// A caller who answers many others runs the quick ones itself, and has the rest run elsewhere.
#[derive(Debug)]
pub struct Pace(AtomicU64);

impl Default for Pace {
    fn default() -> Self {
        Self(AtomicU64::new(UNKNOWN))
    }
}

impl Pace {
    /// Notes how long one call took until it ended or had to wait.
    pub fn note(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let average = self.0.load(Relaxed);
        // Two at once may lose one of their notes, which an average survives.
        self.0.store(average - average / 8 + took / 8, Relaxed);
    }

    /// Returns whether calls are over sooner than they could be handed on.
    pub fn is_quick(&self) -> bool {
        self.0.load(Relaxed) < QUICK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_quick_when_it_has_been_for_a_while() {
        let pace = Pace::default();
        let notes = |took: Duration, wanted: bool| {
            let notes = (1..1000).find(|_| {
                pace.note(took);
                pace.is_quick() == wanted
            });
            notes.unwrap()
        };
        assert!(!pace.is_quick());
        assert!((10..50).contains(&notes(Duration::from_micros(2), true)));
        assert_eq!(notes(Duration::from_millis(5), false), 1, "once is enough");
        assert!(notes(Duration::from_micros(2), true) > 10, "and is remembered");
    }
}
