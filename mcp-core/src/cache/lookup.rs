//! The way of a call through the cache: memory, then one flight, then what an old result is good for.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::entry::Entry;
use super::flight::{Boarding, Passenger};
use super::handle::Cache;
use super::key::Key;
use super::run::{bypass, is_replaceable};
use super::tag::TagId;
use crate::error::Failure;
use crate::policy::{CachePolicy, Levels};

/// What the cache is told about a call.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Which call it is.
    pub key: Key,
    /// What invalidates its result.
    pub tags: Arc<[TagId]>,
    /// What its component declared.
    pub policy: CachePolicy,
    /// How long its function may run, and how long a caller waits for it.
    pub timeout: Option<Duration>,
}

/// What a run of a component gives.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The result.
    pub body: Bytes,
    /// Whether it may be kept: not where it says `isError`, nor where `unless` forbids it.
    pub store: bool,
    /// Whether it says `isError`.
    pub failed: bool,
    /// Whether it is for its own caller alone, whose user or model was asked: others run by themselves.
    pub own: bool,
}

/// What a caller gets.
#[derive(Clone, Debug)]
#[must_use]
pub struct Served {
    /// The result.
    pub result: Result<Bytes, Failure>,
    /// Where it came from.
    pub outcome: CacheOutcome,
    /// How long it is fresh from now on; zero for what is stale or was not kept.
    pub fresh_for: Duration,
    /// Whether the result says `isError`.
    pub failed: bool,
}

/// Where a result came from. Every call has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheOutcome {
    /// From this process's memory.
    Memory,
    /// From what processes share.
    Shared,
    /// From the database.
    Database,
    /// From the run of another call, waited for.
    Coalesced,
    /// From its own run, errors included.
    Computed,
    /// From before: past its ttl, while a refresh runs or because the function failed.
    Stale,
    /// A kept "not found", or the last failure of a function that is left alone for a while.
    Negative,
    /// From its own run, without the cache.
    Bypass,
}

/// What a flight ends with.
#[derive(Clone)]
pub(super) struct Landing {
    pub(super) result: Result<Bytes, Failure>,
    /// Until when what was kept is fresh.
    pub(super) fresh_until: Option<Duration>,
    /// See [`Loaded::failed`].
    pub(super) failed: bool,
    /// See [`Loaded::own`].
    pub(super) own: bool,
    /// Where it came from, for the caller who started the flight.
    pub(super) outcome: CacheOutcome,
    /// What was found below, and is good in place of a failure.
    pub(super) old: Option<Arc<Entry>>,
}

impl Landing {
    /// What a caller has that no flight came back to.
    fn lost(failure: Failure) -> Self {
        Self::failed(failure, CacheOutcome::Computed)
    }

    /// A failure, with nothing to replace it.
    pub(super) fn failed(failure: Failure, outcome: CacheOutcome) -> Self {
        Self { result: Err(failure), fresh_until: None, failed: false, own: false, outcome, old: None }
    }

    /// What was found below.
    pub(super) fn found(entry: &Entry, outcome: CacheOutcome) -> Self {
        let fresh_until = (outcome != CacheOutcome::Stale).then_some(entry.fresh_until);
        Self { result: entry.result(), fresh_until, failed: false, own: false, outcome, old: None }
    }
}

/// What memory has for a call.
enum Found {
    /// To be served at once. `due` says that a refresh is to start.
    Usable {
        entry: Arc<Entry>,
        outcome: CacheOutcome,
        due: bool,
    },
    /// Good only in place of a failure.
    Old(Arc<Entry>),
    Nothing,
}

impl Cache {
    /// Answers a call from memory, without waiting for anything.
    ///
    /// `None`: go on with [`get_or_run`](Self::get_or_run), which also starts a refresh that is due.
    pub fn get(&self, key: &Key, policy: &CachePolicy) -> Option<Served> {
        self.life(policy)?;
        let now = self.0.clock.now();
        match self.find(key, policy, now) {
            Found::Usable { entry, outcome, due: false } => Some(self.counted(serve(&entry, outcome, now))),
            Found::Usable { entry, outcome: CacheOutcome::Memory, due: true } => {
                entry.want_refresh();
                None
            }
            _ => None,
        }
    }

    /// Answers a call from memory, from a run that is under way, or by running its function.
    ///
    /// The function runs as a task of its own: when the caller goes away it goes on, for the others
    /// and to be kept. A panic in it becomes [`Failure::Panic`] and its `timeout`
    /// [`Failure::Timeout`], for all who wait. Inside a function that is being
    /// cached, a call that would wait for that very function runs by itself instead.
    pub async fn get_or_run<F, Fut>(&self, lookup: Lookup, run: F) -> Served
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, Failure>> + Send + 'static,
    {
        let served = self.resolve(lookup, run).await;
        self.counted(served)
    }

    /// Runs a function without the cache; its panic and its slowness are contained as in it.
    pub async fn bypass<F, Fut>(&self, timeout: Option<Duration>, run: F) -> Served
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Loaded, Failure>>,
    {
        self.counted(bypass(timeout, run).await)
    }

    async fn resolve<F, Fut>(&self, lookup: Lookup, run: F) -> Served
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, Failure>> + Send + 'static,
    {
        let Some(life) = self.life(&lookup.policy) else { return bypass(lookup.timeout, run).await };
        // A flight is a task, and there is no task without a runtime.
        if tokio::runtime::Handle::try_current().is_err() {
            return bypass(lookup.timeout, run).await;
        }
        let now = self.0.clock.now();
        let old = match self.find(&lookup.key, &lookup.policy, now) {
            Found::Usable { entry, outcome, due } => {
                let served = serve(&entry, outcome, now);
                if due {
                    self.refresh(lookup, life, entry, run);
                }
                return served;
            }
            Found::Old(entry) => Some(entry),
            Found::Nothing => None,
        };

        let ready = || match self.find(&lookup.key, &lookup.policy, now) {
            Found::Usable { entry, outcome, .. } => Some(serve(&entry, outcome, now)),
            Found::Old(_) | Found::Nothing => None,
        };
        // The look below comes before the function, which has all its time.
        let patience = lookup.timeout.map(|timeout| timeout.saturating_add(self.0.below.patience()));
        match self.0.flights.board(lookup.key, &lookup.tags, &self.0.generations, ready) {
            Boarding::Ready(served) => served,
            Boarding::Pilot(pilot, passenger) => {
                // The flight ends itself at the timeout, and is out of the way of the next call then;
                // its caller leaves it behind only where a function blocks its thread.
                let patience = patience.map(|timeout| timeout.saturating_add(timeout / 20));
                self.launch(pilot, lookup, life, old.clone(), None, run);
                let landing = self.wait(&passenger, patience).await;
                let outcome = landing.outcome;
                self.disembark(&passenger, landing, outcome, old.as_deref())
            }
            Boarding::Passenger(passenger) => {
                self.0.counts.joined.add();
                let landing = self.wait(&passenger, patience).await;
                if landing.own || matches!(landing.result, Err(Failure::InputRequired(_))) {
                    // The questions, and what was made of the answers, are for the caller whose call asked.
                    return bypass(lookup.timeout, run).await;
                }
                let outcome = match landing.outcome {
                    CacheOutcome::Stale => CacheOutcome::Stale,
                    _ => CacheOutcome::Coalesced,
                };
                self.disembark(&passenger, landing, outcome, old.as_deref())
            }
            Boarding::Circle => bypass(lookup.timeout, run).await,
            Boarding::Full => {
                self.0.counts.flight_overflows.add();
                bypass(lookup.timeout, run).await
            }
        }
    }

    fn find(&self, key: &Key, policy: &CachePolicy, now: Duration) -> Found {
        let Some(entry) = self.0.memory.get(key) else { return Found::Nothing };
        let valid = self.0.generations.is_valid(&entry.stamp) && !self.is_doubtful(&entry, policy, now);
        if valid && now < entry.fresh_until {
            let due = entry.is_refresh_due(now, policy.refresh_ahead, &self.0.chance);
            let outcome = if entry.is_negative() { CacheOutcome::Negative } else { CacheOutcome::Memory };
            return Found::Usable { entry, outcome, due };
        }
        if valid && now < entry.stale_until {
            let due = entry.may_refresh(now);
            return Found::Usable { entry, outcome: CacheOutcome::Stale, due };
        }
        if valid && now < entry.error_until {
            if entry.is_throttled(now) {
                return Found::Usable { entry, outcome: CacheOutcome::Stale, due: false };
            }
            return Found::Old(entry);
        }
        if self.0.memory.remove_exactly(key, &entry) && valid {
            self.0.counts.expired.add();
        }
        Found::Nothing
    }

    /// Returns whether others may have invalidated an entry, and their word does not get through.
    fn is_doubtful(&self, entry: &Entry, policy: &CachePolicy, now: Duration) -> bool {
        !self.0.below.is_empty()
            && policy.levels != Levels::Memory
            && self.0.heard.doubts(entry.stored_at, now)
    }

    async fn wait(&self, passenger: &Passenger<Landing>, timeout: Option<Duration>) -> Landing {
        let landing =
            async { passenger.landing().await.unwrap_or_else(|| Landing::lost(Failure::Cancelled)) };
        match timeout {
            Some(limit) => {
                tokio::time::timeout(limit, landing).await.unwrap_or_else(|_| Landing::lost(Failure::Timeout))
            }
            None => landing.await,
        }
    }

    /// Makes of a landing what its passenger gets: the old result where that may replace a failure.
    fn disembark(
        &self,
        passenger: &Passenger<Landing>,
        landing: Landing,
        outcome: CacheOutcome,
        old: Option<&Entry>,
    ) -> Served {
        let now = self.0.clock.now();
        if let (Err(failure), Some(old)) = (&landing.result, old.or(landing.old.as_deref()))
            && is_replaceable(failure)
            && now < old.error_until
            && self.0.generations.is_valid(&old.stamp)
        {
            return serve(old, CacheOutcome::Stale, now);
        }
        let fresh_for = match landing.fresh_until {
            Some(until) if self.0.generations.is_valid(&passenger.flight.stamp) => until.saturating_sub(now),
            _ => Duration::ZERO,
        };
        Served { result: landing.result, outcome, fresh_for, failed: landing.failed }
    }

    fn counted(&self, served: Served) -> Served {
        self.0.counts.outcome(served.outcome);
        served
    }
}

fn serve(entry: &Entry, outcome: CacheOutcome, now: Duration) -> Served {
    Served {
        result: entry.result(),
        outcome,
        fresh_for: entry.fresh_until.saturating_sub(now),
        failed: false,
    }
}
