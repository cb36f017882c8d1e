//! The run of a function: in a task of its own where it is shared, and what is kept of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tracing::Instrument;

use super::entry::{Entry, LONGEST_LIFE, Life, Refreshing};
use super::flight::{Boarding, Pilot};
use super::handle::Cache;
use super::level::{Found, Lease, Look, Tier};
use super::lookup::{CacheOutcome, Landing, Loaded, Lookup, Served};
use crate::error::{ErrorKind, Failure};
use crate::policy::{CachePolicy, Levels};

impl Cache {
    /// Starts a run behind an entry that is being served, unless one is under way.
    pub(super) fn refresh<F, Fut>(&self, lookup: Lookup, life: Duration, entry: Arc<Entry>, run: F)
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, Failure>> + Send + 'static,
    {
        let replaced =
            || self.0.memory.get(&lookup.key).filter(|there| !Arc::ptr_eq(there, &entry)).map(|_| ());
        match self.0.flights.board(lookup.key, &lookup.tags, &self.0.generations, replaced) {
            Boarding::Pilot(pilot, _) => {
                self.0.counts.refreshes.add();
                let refreshing = Refreshing::new(Arc::clone(&entry));
                self.launch(pilot, lookup, life, Some(entry), Some(refreshing), run);
            }
            Boarding::Full => self.0.counts.flight_overflows.add(),
            Boarding::Passenger(_) | Boarding::Ready(()) | Boarding::Circle => {}
        }
    }

    /// Runs the function in a task of its own, keeps its result and hands it to the passengers.
    pub(super) fn launch<F, Fut>(
        &self,
        mut pilot: Pilot<Landing>,
        lookup: Lookup,
        life: Duration,
        old: Option<Arc<Entry>>,
        refreshing: Option<Refreshing>,
        run: F,
    ) where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, Failure>> + Send + 'static,
    {
        let cache = self.clone();
        let flight = async move {
            let looked = cache.look(&lookup, &pilot, old.as_ref(), refreshing.is_some()).await;
            // The lease, until the result is below: whoever gets it next finds it there.
            let Some(Looked { look, found, lease: _lease, announced }) = looked else { return };
            // What was found is newer.
            let old = found.or(old);
            let begun = cache.0.clock.now();
            if old.is_none()
                && let Some(failure) = cache.0.backoff.holds(&lookup.key, &cache.0.generations, begun)
            {
                return pilot.land(Landing::failed(failure, CacheOutcome::Negative));
            }
            let result = pilot.fly(contained(lookup.timeout, run)).await;
            let now = cache.0.clock.now();
            let life =
                Life { cost: now.saturating_sub(begun), ..Life::of(&lookup.policy, cache.jittered(life)) };
            let had = old.is_some();
            if !had {
                cache.0.backoff.note(&lookup.key, &pilot.flight.stamp, result.as_ref().err(), now);
            }
            let landing = cache.keep(&lookup, life, &pilot, now, old, &result);
            drop(refreshing);
            if announced {
                pilot.leave();
            } else {
                pilot.land(landing);
            }
            // Behind the answer: nobody waits for the levels.
            let (Some(look), below) = (look, &cache.0.below) else { return };
            match result {
                Ok(loaded) if is_kept(&loaded) && loaded.body.len() <= lookup.policy.max_bytes => {
                    below.write(&lookup, &look, &loaded.body, life, Duration::ZERO).await;
                }
                Err(Failure::Error(error)) if had && error.kind() == Some(ErrorKind::NotFound) => {
                    below.remove(&lookup, &look).await;
                }
                _ => {}
            }
        };
        tokio::spawn(flight.in_current_span());
    }

    /// Looks for the result below, before the function runs; `None`: it was found, and the flight is over.
    ///
    /// `old` is what a refresh is to replace: what is below is of use to it only if it is newer.
    async fn look(
        &self,
        lookup: &Lookup,
        pilot: &Pilot<Landing>,
        old: Option<&Arc<Entry>>,
        is_refresh: bool,
    ) -> Option<Looked> {
        let below = &self.0.below;
        if !below.keeps(lookup) {
            return Some(Looked::default());
        }
        let newer_than = old.map(|old| old.age(self.0.clock.now()).saturating_sub(SAME_AGE));
        let mut look = below.look(lookup, newer_than).await;
        let mut lease = None;
        if !is_refresh && !look.serves() {
            (look, lease) = below.lease(lookup, look).await;
        }
        let Some(Found { tier, body, life, age }) = &look.found else {
            return Some(Looked { look: Some(look), lease, ..Looked::default() });
        };
        let now = self.0.clock.now();
        let entry = Entry::body(body.clone(), pilot.flight.stamp.clone(), now, *life, *age);
        let entry = Arc::new(entry);
        let (fresh, stale) = (now < entry.fresh_until, now < entry.stale_until);
        if !fresh && !stale && now >= entry.error_until {
            return Some(Looked { look: Some(look.unfound()), lease, ..Looked::default() });
        }
        self.put(lookup, Arc::clone(&entry));
        if fresh {
            let outcome = match tier {
                Tier::Shared => CacheOutcome::Shared,
                Tier::Database => CacheOutcome::Database,
            };
            pilot.land(Landing::found(&entry, outcome));
            below.write(lookup, &look, body, *life, *age).await;
            None
        } else {
            if stale {
                // Those who wait have it; the flight goes on as the refresh.
                pilot.announce(Landing::found(&entry, CacheOutcome::Stale));
            }
            Some(Looked { look: Some(look.unfound()), found: Some(entry), lease, announced: stale })
        }
    }

    /// Decides what becomes of a result.
    fn keep(
        &self,
        lookup: &Lookup,
        life: Life,
        pilot: &Pilot<Landing>,
        now: Duration,
        old: Option<Arc<Entry>>,
        result: &Result<Loaded, Failure>,
    ) -> Landing {
        let stamp = pilot.flight.stamp.clone();
        let policy = &lookup.policy;
        let entry = match result {
            Ok(loaded) if is_kept(loaded) => {
                Some(Entry::body(loaded.body.clone(), stamp, now, life, Duration::ZERO))
            }
            Err(Failure::Error(error)) if error.kind() == Some(ErrorKind::NotFound) => {
                if policy.negative > Duration::ZERO {
                    Some(Entry::not_found(error.clone(), stamp, now, policy.negative))
                } else {
                    // It is gone: what there was of it is no longer true.
                    if let Some(old) = &old {
                        self.0.memory.remove_exactly(&lookup.key, old);
                    }
                    None
                }
            }
            Err(failure) => {
                if let Some(old) = old.as_ref().filter(|_| is_replaceable(failure)) {
                    self.0.counts.throttled.add();
                    old.throttle(now.saturating_add(self.0.error_throttle));
                }
                None
            }
            Ok(_) => None,
        };
        let fresh_until = entry.and_then(|entry| self.put(lookup, Arc::new(entry)));
        let (failed, own) = result.as_ref().map_or((false, false), |loaded| (loaded.failed, loaded.own));
        let result = result.as_ref().map(|loaded| loaded.body.clone()).map_err(Clone::clone);
        Landing { result, fresh_until, failed, own, outcome: CacheOutcome::Computed, old }
    }

    /// Puts an entry into memory, if its component wants it there; returns until when it is fresh if it is kept.
    pub(super) fn put(&self, lookup: &Lookup, entry: Arc<Entry>) -> Option<Duration> {
        // Reads check as well: dropping it here only saves the space, and the entry of a later run.
        if !self.0.generations.is_valid(&entry.stamp) {
            self.0.counts.outdated.add();
            return None;
        }
        let stamp = entry.stamp.clone();
        let later =
            |there: &Entry| there.stamp.is_newer_than(&stamp) && self.0.generations.is_valid(&there.stamp);
        let size = entry.result().map_or(0, |body| body.len());
        if size <= lookup.policy.max_bytes && lookup.policy.levels == Levels::Shared {
            return self.0.below.keeps(lookup).then_some(entry.fresh_until);
        }
        if size > lookup.policy.max_bytes || self.0.memory.refuses(&entry) {
            self.0.counts.too_large.add();
            self.0.memory.remove(&lookup.key, later);
            return None;
        }
        if !self.0.memory.put(lookup.key, Arc::clone(&entry), later) {
            self.0.counts.outdated.add();
            return None;
        }
        self.0.counts.stored.add();
        Some(entry.fresh_until)
    }

    /// Returns for how long a result is fresh, before jitter; `None` where nothing is to be cached.
    pub(super) fn life(&self, policy: &CachePolicy) -> Option<Duration> {
        let life = policy.ttl.unwrap_or(self.0.default_ttl).min(LONGEST_LIFE);
        (self.0.enabled && life > Duration::ZERO).then_some(life)
    }

    /// Shortens a life by a random share, so that what was stored together does not expire together.
    pub(super) fn jittered(&self, life: Duration) -> Duration {
        // Never longer: nobody may be told more than the ttl that was declared.
        life.mul_f64(1.0 - self.0.jitter * self.0.chance.unit())
    }
}

/// Two ages that differ by less are those of one result, measured by two clocks.
const SAME_AGE: Duration = Duration::from_millis(100);

/// What a look below has come to, where the function is still to run.
#[derive(Default)]
struct Looked {
    look: Option<Look>,
    /// What was found is served meanwhile, or replaces a failure.
    found: Option<Arc<Entry>>,
    lease: Option<Lease>,
    /// Whether those who wait have what was found.
    announced: bool,
}

fn is_kept(loaded: &Loaded) -> bool {
    loaded.store && !loaded.own
}

/// Returns whether an old result is better than this: the function could not do its work.
///
/// An answer such as "not found", or a refusal, is not replaced.
pub(super) fn is_replaceable(failure: &Failure) -> bool {
    match failure {
        Failure::Error(error) => matches!(error.kind(), None | Some(ErrorKind::Failed)),
        Failure::Panic | Failure::Timeout | Failure::Busy => true,
        Failure::Cancelled | Failure::InputRequired(_) | Failure::Forbidden(_) => false,
    }
}

/// Runs a function for its caller alone.
pub(super) async fn bypass<F, Fut>(timeout: Option<Duration>, run: F) -> Served
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<Loaded, Failure>>,
{
    let loaded = contained(timeout, run).await;
    let failed = loaded.as_ref().is_ok_and(|loaded| loaded.failed);
    let result = loaded.map(|loaded| loaded.body);
    Served { result, outcome: CacheOutcome::Bypass, fresh_for: Duration::ZERO, failed }
}

/// Runs a function so that neither its panic nor its slowness reaches further than its result.
async fn contained<F, Fut>(timeout: Option<Duration>, run: F) -> Result<Loaded, Failure>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<Loaded, Failure>>,
{
    // Inside, for the function may panic before it returns its future.
    let mut work = pin!(async move { run().await });
    let caught = std::future::poll_fn(|cx| {
        // A future that panicked is not polled again.
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))).unwrap_or(Poll::Ready(Err(Failure::Panic)))
    });
    match timeout {
        Some(limit) => tokio::time::timeout(limit, caught).await.unwrap_or(Err(Failure::Timeout)),
        None => caught.await,
    }
}
