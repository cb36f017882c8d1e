//! A function that panics or takes too long again and again is left alone for a while.
//!
//! What it says itself, an error, is never kept: the next call asks again.

use std::sync::Arc;
use std::time::Duration;

use moka::ops::compute::Op;
use moka::sync::Cache;

use super::generations::{Generations, Stamp};
use super::key::Key;
use crate::error::Failure;

/// So many failures in a row are followed by a pause.
const IN_A_ROW: u32 = 3;
/// The first pause; each further one is twice as long, up to the last.
const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(30);
/// How many keys are known to fail; the functions of others run as often as they are called.
const MOST: u64 = 1_000;
/// After so long without a failure the next one is the first.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// The keys whose function has failed, and when it may run again.
pub(super) struct Backoff(Cache<Key, Arc<Failing>>);

struct Failing {
    in_a_row: u32,
    until: Duration,
    failure: Failure,
    stamp: Stamp,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(FORGOTTEN).build())
    }

    /// Returns the last failure of a function that is not to run yet.
    ///
    /// An invalidation ends the pause: what made the function fail may be over.
    pub(super) fn holds(&self, key: &Key, generations: &Generations, now: Duration) -> Option<Failure> {
        let failing = self.0.get(key).filter(|failing| now < failing.until)?;
        generations.is_valid(&failing.stamp).then(|| failing.failure.clone())
    }

    /// Notes how a run has ended.
    pub(super) fn note(&self, key: &Key, stamp: &Stamp, failure: Option<&Failure>, now: Duration) {
        let counts = |failure: &&Failure| matches!(failure, Failure::Panic | Failure::Timeout);
        let failure = failure.filter(counts);
        if failure.is_none() && !self.0.contains_key(key) {
            return;
        }
        self.0.entry_by_ref(key).and_compute_with(|before| {
            let Some(failure) = failure.cloned() else { return Op::Remove };
            let in_a_row = before.map_or(0, |before| before.value().in_a_row).saturating_add(1);
            let pause = match in_a_row.checked_sub(IN_A_ROW) {
                Some(further) => FIRST.saturating_mul(1 << further.min(8)).min(LAST),
                None => Duration::ZERO,
            };
            Op::Put(Arc::new(Failing { in_a_row, until: now + pause, failure, stamp: stamp.clone() }))
        });
    }
}
