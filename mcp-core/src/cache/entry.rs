//! One kept result and the horizons of its life.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;

use super::chance::Chance;
use super::generations::Stamp;
use super::key::Key;
use super::tag::TagId;
use crate::error::{Failure, ToolError};
use crate::policy::{CachePolicy, RefreshAhead};

/// No result outlives this, whatever was declared; it also keeps every sum of times in range.
pub(super) const LONGEST_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A kept result. Its times are those of the cache's clock and never move.
pub(super) struct Entry {
    pub(super) content: Content,
    pub(super) stamp: Stamp,
    /// Since when it is here, which may be later than it was made.
    pub(super) stored_at: Duration,
    /// For how long it was fresh when it was made.
    life: Duration,
    pub(super) fresh_until: Duration,
    pub(super) stale_until: Duration,
    pub(super) error_until: Duration,
    /// How long the function ran.
    cost: Duration,
    refresh: Refresh,
}

/// What a call gave.
pub(super) enum Content {
    Body(Bytes),
    /// A "not found", under `cache(negative = "..")`.
    NotFound(ToolError, usize),
}

/// The state of the refresh of an entry.
#[derive(Default)]
struct Refresh {
    /// A hit found that it is time, and cannot start it itself.
    wanted: AtomicBool,
    running: AtomicBool,
    /// After a failure: not before this time, in nanoseconds.
    not_before: AtomicU64,
}

/// For how long a result is good for what, from the moment it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// To be served as it is.
    pub(super) fresh: Duration,
    /// To be served while a refresh runs.
    pub(super) stale: Duration,
    /// To replace a failure.
    pub(super) error: Duration,
    /// How long its function ran.
    pub(super) cost: Duration,
}

impl Life {
    /// Makes the life of a result that is fresh for some time, by what its component declared.
    pub(super) fn of(policy: &CachePolicy, fresh: Duration) -> Self {
        Self {
            fresh,
            stale: fresh.saturating_add(policy.stale).min(LONGEST_LIFE),
            error: policy.stale_if_error.min(LONGEST_LIFE),
            cost: Duration::ZERO,
        }
    }

    /// Returns after what time nothing can use the result any more.
    pub(super) fn total(&self) -> Duration {
        self.fresh.max(self.stale).max(self.error)
    }

    /// Returns what is left after some time.
    pub(super) fn after(&self, age: Duration) -> Self {
        let left = |time: Duration| time.saturating_sub(age);
        Self { fresh: left(self.fresh), stale: left(self.stale), error: left(self.error), cost: self.cost }
    }
}

impl Entry {
    /// Makes the entry of a result of some age.
    pub(super) fn body(body: Bytes, stamp: Stamp, now: Duration, life: Life, age: Duration) -> Self {
        Self::new(Content::Body(body), stamp, now, life, age)
    }

    /// Makes the entry of a "not found": it is never served once its own time is over.
    pub(super) fn not_found(error: ToolError, stamp: Stamp, now: Duration, life: Duration) -> Self {
        let size = error.message().len();
        let fresh = life.min(LONGEST_LIFE);
        let life = Life { fresh, stale: fresh, error: fresh, cost: Duration::ZERO };
        Self::new(Content::NotFound(error, size), stamp, now, life, Duration::ZERO)
    }

    fn new(content: Content, stamp: Stamp, now: Duration, life: Life, age: Duration) -> Self {
        let left = life.after(age);
        Self {
            content,
            stamp,
            stored_at: now,
            life: life.fresh,
            fresh_until: now + left.fresh,
            stale_until: now + left.stale,
            error_until: now + left.error,
            cost: life.cost,
            refresh: Refresh::default(),
        }
    }

    /// Returns what a caller gets.
    pub(super) fn result(&self) -> Result<Bytes, Failure> {
        match &self.content {
            Content::Body(body) => Ok(body.clone()),
            Content::NotFound(error, _) => Err(Failure::Error(error.clone())),
        }
    }

    /// Returns whether it is a "not found".
    pub(super) fn is_negative(&self) -> bool {
        matches!(self.content, Content::NotFound(..))
    }

    /// Returns its size in memory, in bytes: payload, key, tags, and what moka and we keep beside them.
    pub(super) fn weight(&self) -> u32 {
        const OVERHEAD: usize = 200;
        let payload = match &self.content {
            Content::Body(body) => body.len(),
            Content::NotFound(_, size) => *size,
        };
        let weight = payload + size_of::<Key>() + size_of_val::<[TagId]>(self.stamp.tags()) + OVERHEAD;
        u32::try_from(weight).unwrap_or(u32::MAX)
    }

    /// Returns how long ago the result was made.
    pub(super) fn age(&self, now: Duration) -> Duration {
        (now + self.life).saturating_sub(self.fresh_until)
    }

    /// Returns how long after it was stored nothing can use it any more.
    pub(super) fn kept_for(&self) -> Duration {
        self.fresh_until.max(self.stale_until).max(self.error_until).saturating_sub(self.stored_at)
    }

    /// Returns whether a refresh may start: none runs, and the last failure is long enough ago.
    pub(super) fn may_refresh(&self, now: Duration) -> bool {
        !self.refresh.running.load(Relaxed) && !self.is_throttled(now)
    }

    /// Returns whether, though fresh, it is time for a refresh.
    pub(super) fn is_refresh_due(&self, now: Duration, ahead: RefreshAhead, chance: &Chance) -> bool {
        if ahead == RefreshAhead::Off || self.is_negative() || !self.may_refresh(now) {
            return false;
        }
        self.refresh.wanted.swap(false, Relaxed)
            || match ahead {
                RefreshAhead::Off => false,
                RefreshAhead::At(share) => {
                    let rest = 1.0 - if share.is_nan() { 1.0 } else { share.clamp(0.0, 1.0) };
                    now + self.life.mul_f64(rest) >= self.fresh_until
                }
                // XFetch with a beta of 1: the costlier and the closer to the end, the likelier.
                RefreshAhead::Auto => {
                    now.as_secs_f64() - self.cost.as_secs_f64() * chance.unit().ln()
                        >= self.fresh_until.as_secs_f64()
                }
            }
    }

    /// Remembers for the call that can start a refresh that one is due.
    ///
    /// Without it that call would draw again, and `"auto"` would refresh with the square of its chance.
    pub(super) fn want_refresh(&self) {
        self.refresh.wanted.store(true, Relaxed);
    }

    /// Returns whether the function failed so recently that it is not asked again yet.
    pub(super) fn is_throttled(&self, now: Duration) -> bool {
        nanos(now) < self.refresh.not_before.load(Relaxed)
    }

    /// Keeps the function from being asked again before `until`.
    pub(super) fn throttle(&self, until: Duration) {
        self.refresh.not_before.fetch_max(nanos(until), Relaxed);
    }
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Marks an entry as being refreshed until this is dropped.
pub(super) struct Refreshing(Arc<Entry>);

impl Refreshing {
    pub(super) fn new(entry: Arc<Entry>) -> Self {
        entry.refresh.running.store(true, Relaxed);
        Self(entry)
    }
}

impl Drop for Refreshing {
    fn drop(&mut self) {
        self.0.refresh.running.store(false, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn p42_no_life_is_longer_than_the_longest_and_what_is_left_of_it_is_never_more() {
        let policy = CachePolicy::new().stale_ms(30 * 24 * 3_600_000).stale_if_error_ms(90 * 24 * 3_600_000);
        let life = Life::of(&policy, 7 * DAY);
        assert_eq!((life.fresh, life.total()), (7 * DAY, LONGEST_LIFE));
        let left = life.after(5 * DAY);
        assert_eq!((left.fresh, left.total()), (2 * DAY, LONGEST_LIFE - 5 * DAY));
        assert_eq!(life.after(31 * DAY).total(), Duration::ZERO);
    }
}
