//! A circuit breaker: who has failed again and again is left alone for a while.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::contract::LevelError;
use crate::cache::chance::Chance;

/// So many failures in a row open it.
const IN_A_ROW: u32 = 5;
/// So many calls within [`WINDOW`] are enough to judge by the share of failures, of which a half opens it.
const ENOUGH: u32 = 20;
const WINDOW: Duration = Duration::from_secs(10);
/// The first pause; each further one is twice as long, up to the last.
const FIRST: Duration = Duration::from_millis(500);
const LAST: Duration = Duration::from_secs(4);

/// Lets calls through while they succeed; opens when they fail, and lets a single one through now and then.
pub(super) struct Breaker {
    /// What it protects, for the log.
    name: String,
    state: Mutex<State>,
    chance: Chance,
}

struct State {
    in_a_row: u32,
    window: Window,
    /// While open: until when, and after how long a pause.
    open: Option<(Instant, Duration)>,
    probing: bool,
    opened: u64,
}

/// The calls of the last while.
struct Window {
    since: Instant,
    calls: u32,
    failures: u32,
}

/// A call that was let through, until its end is noted.
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    pub(super) fn new(name: String, seed: u64) -> Self {
        let window = Window { since: Instant::now(), calls: 0, failures: 0 };
        let state = State { in_a_row: 0, window, open: None, probing: false, opened: 0 };
        Self { name, state: Mutex::new(state), chance: Chance::new(seed) }
    }

    /// Lets a call through, or not.
    pub(super) fn enter(&self) -> Option<Permit<'_>> {
        let mut state = self.state();
        let is_probe = match state.open {
            None => false,
            Some((until, _)) if Instant::now() >= until && !state.probing => {
                state.probing = true;
                true
            }
            Some(_) => return None,
        };
        Some(Permit { breaker: self, is_probe })
    }

    pub(super) fn is_open(&self) -> bool {
        self.state().open.is_some()
    }

    /// Returns how often it has opened.
    pub(super) fn opened(&self) -> u64 {
        self.state().opened
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    pub(super) fn succeeded(self) {
        let mut state = self.breaker.state();
        state.in_a_row = 0;
        state.window.note(false);
        if self.is_probe {
            state.open = None;
            state.window = Window { since: Instant::now(), calls: 0, failures: 0 };
            tracing::info!(level = %self.breaker.name, "works again");
        }
    }

    pub(super) fn failed(self, error: &LevelError) {
        let mut state = self.breaker.state();
        state.in_a_row += 1;
        let by_share = state.window.note(true);
        let pause = match state.open {
            Some((_, pause)) if self.is_probe => (pause * 2).min(LAST),
            // One that was under way when it opened.
            Some(_) => return,
            None if state.in_a_row >= IN_A_ROW || by_share => {
                state.opened += 1;
                tracing::warn!(level = %self.breaker.name, %error, "is left alone for a while");
                FIRST
            }
            None => return,
        };
        // Not at the same moment on all nodes.
        let wait = pause.mul_f64(0.75 + 0.25 * self.breaker.chance.unit());
        state.open = Some((Instant::now() + wait, pause));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            // Also where its caller went away: the next may try.
            self.breaker.state().probing = false;
        }
    }
}

impl Window {
    /// Notes a call; returns whether too many have failed.
    fn note(&mut self, failed: bool) -> bool {
        if self.since.elapsed() > WINDOW {
            *self = Self { since: Instant::now(), calls: 0, failures: 0 };
        }
        self.calls += 1;
        self.failures += u32::from(failed);
        failed && self.calls >= ENOUGH && self.failures * 2 >= self.calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new("test".to_owned(), 1)
    }

    fn fail(breaker: &Breaker, times: u32) {
        for _ in 0..times {
            breaker.enter().unwrap().failed(&LevelError::new("down"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn p32_it_opens_after_failures_in_a_row_and_lets_a_single_call_probe() {
        let breaker = breaker();
        fail(&breaker, 4);
        breaker.enter().unwrap().succeeded();
        fail(&breaker, 4);
        assert!(!breaker.is_open());
        fail(&breaker, 1);
        assert!(breaker.enter().is_none());

        tokio::time::advance(FIRST).await;
        let probe = breaker.enter().unwrap();
        assert!(breaker.enter().is_none(), "one at a time");
        drop(probe);
        breaker.enter().unwrap().succeeded();
        assert!(!breaker.is_open());
        assert!(breaker.enter().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn p32_pauses_grow_up_to_a_bound_however_long_it_takes() {
        let breaker = breaker();
        fail(&breaker, 5);
        for _ in 0..100 {
            let begun = Instant::now();
            while breaker.enter().map(|probe| probe.failed(&LevelError::new("down"))).is_none() {
                tokio::time::advance(Duration::from_millis(10)).await;
            }
            assert!(begun.elapsed() <= LAST + Duration::from_millis(10));
        }
        assert_eq!(breaker.opened(), 1, "and is logged once");
    }

    #[tokio::test(start_paused = true)]
    async fn p32_it_opens_where_half_of_the_calls_fail() {
        let breaker = breaker();
        for _ in 0..ENOUGH / 2 {
            breaker.enter().unwrap().succeeded();
            fail(&breaker, 1);
        }
        assert!(breaker.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn p32_failures_long_ago_are_forgotten() {
        let breaker = breaker();
        for _ in 0..ENOUGH {
            breaker.enter().unwrap().succeeded();
            fail(&breaker, 1);
            tokio::time::advance(WINDOW / 8).await;
        }
        assert!(!breaker.is_open());
    }
}
