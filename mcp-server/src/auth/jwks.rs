//! The keys of an issuer, as long as they are good: fetched when needed, refreshed behind the calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mcp_core::clock::Clock;
use tokio::sync::watch;

use super::authenticator::Unauthorized;
use super::challenge::RETRY_AFTER;
use super::fetch::Source;
use super::keys::{Key, Keys};

/// How old keys are when they are fetched again.
const REFRESH: Duration = Duration::from_secs(10 * 60);

/// How old keys are when a call waits for newer ones.
///
/// A server that nobody called for a while must not accept what was removed meanwhile.
const STALE: Duration = Duration::from_secs(20 * 60);

/// How old keys may become while no newer ones can be had.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How often an unknown key may cause a fetch: anybody can name one.
const UNKNOWN: Duration = Duration::from_secs(30);

/// The keys of an issuer.
pub(super) struct Jwks {
    source: Source,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<Keys>>,
    /// When the last fetch failed, if it did.
    failed: Option<Duration>,
    /// When an unknown key last caused a fetch.
    asked: Option<Duration>,
    /// Closed when the fetch under way has ended.
    flight: Option<Flight>,
}

type Flight = watch::Receiver<()>;

impl Jwks {
    pub(super) fn new(source: Source, clock: Clock) -> Self {
        Self { source, clock, state: Mutex::default() }
    }

    /// Returns the keys, fetched where there are none or they are old.
    pub(super) async fn current(self: &Arc<Self>) -> Result<Arc<Keys>, Unauthorized> {
        let (keys, flight) = {
            let mut state = self.state();
            let now = self.clock.now();
            let keys = state.kept(now);
            let age = keys.as_ref().map_or(Duration::MAX, |keys| keys.age(now));
            let waits = keys.is_none() || (age >= STALE && state.failed.is_none());
            let flight = if age < REFRESH { None } else { self.fetch(&mut state, now) };
            (keys, flight.filter(|_| waits))
        };
        match flight {
            Some(flight) => self.after(flight).await,
            None => keys.ok_or_else(unavailable),
        }
    }

    /// Returns keys with a certain one among them, if there are any.
    ///
    /// Where it is not among them, they are fetched again, now and then.
    pub(super) async fn with(self: &Arc<Self>, id: Option<&str>) -> Result<Arc<Keys>, Unauthorized> {
        let keys = self.current().await?;
        if id.is_none_or(|id| keys.knows(id)) {
            return Ok(keys);
        }
        let flight = {
            let mut state = self.state();
            let now = self.clock.now();
            let may_ask = state.asked.is_none_or(|asked| now.saturating_sub(asked) >= UNKNOWN);
            let mut flight = state.under_way();
            if flight.is_none() && may_ask {
                flight = self.fetch(&mut state, now);
                state.asked = flight.as_ref().map_or(state.asked, |_| Some(now));
            }
            flight
        };
        match flight {
            Some(flight) => self.after(flight).await,
            None => Ok(keys),
        }
    }

    async fn after(&self, mut flight: Flight) -> Result<Arc<Keys>, Unauthorized> {
        // Nothing is ever sent: this is its end.
        let _ = flight.changed().await;
        self.state().kept(self.clock.now()).ok_or_else(unavailable)
    }

    /// Joins the fetch under way or begins one; none for a while after a failure.
    ///
    /// It is a task of its own: whoever waits may leave.
    fn fetch(self: &Arc<Self>, state: &mut State, now: Duration) -> Option<Flight> {
        let under_way = state.under_way();
        if under_way.is_some() || state.failed.is_some_and(|failed| now.saturating_sub(failed) < RETRY_AFTER)
        {
            return under_way;
        }
        let (ended, flight) = watch::channel(());
        state.flight = Some(flight.clone());
        let jwks = Arc::clone(self);
        tokio::spawn(async move {
            let fetched = jwks.source.fetch().await;
            jwks.store(fetched);
            drop(ended);
        });
        Some(flight)
    }

    fn store(&self, fetched: Result<Vec<Key>, String>) {
        let mut state = self.state();
        let now = self.clock.now();
        match fetched {
            Ok(keys) => {
                let generation = state.keys.as_ref().map_or(0, |keys| keys.generation + 1);
                state.keys = Some(Arc::new(Keys { generation, fetched: now, keys }));
                state.failed = None;
            }
            Err(error) => {
                state.failed = Some(now);
                match state.kept(now) {
                    Some(keys) => {
                        let age = keys.age(now);
                        tracing::warn!(error, ?age, "no newer keys of the issuer: the old ones are used");
                    }
                    None => tracing::error!(error, "no keys of the issuer: no access token can be checked"),
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Jwks {
    /// Returns the same source by another clock.
    pub(super) fn timed(&self, clock: Clock) -> Self {
        Self::new(self.source.clone(), clock)
    }

    /// Waits for the fetch under way.
    pub(super) async fn settled(&self) {
        let flight = self.state().under_way();
        if let Some(flight) = flight {
            let _ = self.after(flight).await;
        }
    }

    /// Takes the keys out of the set.
    pub(super) fn lose_keys(&self) {
        let mut state = self.state();
        let keys = state.keys.take();
        state.keys = keys.map(|keys| Arc::new(Keys { keys: Vec::new(), ..*keys }));
    }
}

impl State {
    fn kept(&self, now: Duration) -> Option<Arc<Keys>> {
        self.keys.clone().filter(|keys| keys.age(now) < KEPT)
    }

    fn under_way(&self) -> Option<Flight> {
        self.flight.clone().filter(|flight| flight.has_changed().is_ok())
    }
}

fn unavailable() -> Unauthorized {
    Unauthorized::unavailable("the keys of the issuer cannot be had now: try again later")
}
