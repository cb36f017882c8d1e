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
    stored_at: Duration,
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

impl Entry {
    /// Makes the entry of a result that is fresh from `now` on for `life`.
    pub(super) fn body(
        body: Bytes,
        stamp: Stamp,
        now: Duration,
        life: Duration,
        policy: &CachePolicy,
    ) -> Self {
        let fresh_until = now + life;
        Self {
            content: Content::Body(body),
            stamp,
            stored_at: now,
            fresh_until,
            stale_until: fresh_until + policy.stale.min(LONGEST_LIFE),
            error_until: now + policy.stale_if_error.min(LONGEST_LIFE),
            cost: Duration::ZERO,
            refresh: Refresh::default(),
        }
    }

    /// Makes the entry of a "not found": it is never served once its own time is over.
    pub(super) fn not_found(error: ToolError, stamp: Stamp, now: Duration, life: Duration) -> Self {
        let until = now + life.min(LONGEST_LIFE);
        let size = error.message().len();
        Self {
            content: Content::NotFound(error, size),
            stamp,
            stored_at: now,
            fresh_until: until,
            stale_until: until,
            error_until: until,
            cost: Duration::ZERO,
            refresh: Refresh::default(),
        }
    }

    /// Sets how long the function ran.
    pub(super) fn cost(mut self, cost: Duration) -> Self {
        self.cost = cost;
        self
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
                    let life = self.fresh_until - self.stored_at;
                    now >= self.stored_at
                        + life.mul_f64(if share.is_nan() { 1.0 } else { share.clamp(0.0, 1.0) })
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

fn nanos(time: Duration) -> u64 {
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
