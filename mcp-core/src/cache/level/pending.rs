//! Invalidations that a level has not heard of yet.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::contract::Voided;
use crate::cache::tag::TagId;

/// How many tags may wait: with more, everything is invalidated instead. An invalidation is never dropped.
const MOST: usize = 10_000;

/// Invalidations in the order of their numbers, each tag once.
#[derive(Default)]
pub(super) struct Pending {
    state: Mutex<State>,
    /// Whether there are any: what a reader looks at first.
    some: AtomicBool,
    progress: watch::Sender<Progress>,
}

/// How far the telling has come.
#[derive(Default)]
struct Progress {
    /// The last number that the level has heard of.
    heard: u64,
    /// How often it did not listen.
    failures: u64,
}

#[derive(Default)]
struct State {
    last: u64,
    tags: HashMap<TagId, u64>,
    all: Option<u64>,
    /// Whether somebody is telling the level.
    telling: bool,
}

impl Pending {
    /// Adds an invalidation; returns its number.
    pub(super) fn add(&self, voided: &Voided) -> u64 {
        let mut state = self.state();
        state.last += 1;
        let number = state.last;
        match voided {
            Voided::Tags(tags) if state.tags.len() + tags.len() <= MOST => {
                state.tags.extend(tags.iter().map(|tag| (*tag, number)));
            }
            Voided::Tags(_) | Voided::All => {
                state.all = Some(number);
                state.tags.clear();
            }
        }
        self.some.store(true, Ordering::Release);
        number
    }

    /// Returns whether what carries these tags is invalid, and the level does not know.
    pub(super) fn concerns(&self, tags: &[TagId]) -> bool {
        if !self.some.load(Ordering::Acquire) {
            return false;
        }
        let state = self.state();
        state.all.is_some() || tags.iter().any(|tag| state.tags.contains_key(tag))
    }

    /// Returns whether the caller is to tell the level, as nobody else does.
    pub(super) fn begin(&self) -> bool {
        let mut state = self.state();
        !state.is_empty() && !std::mem::replace(&mut state.telling, true)
    }

    /// Returns what is to be told, and the number up to which that goes; `None`: nothing, and telling ends.
    pub(super) fn next(&self) -> Option<(Voided, u64)> {
        let mut state = self.state();
        let voided = match state.all {
            Some(_) => Voided::All,
            None if state.tags.is_empty() => {
                state.telling = false;
                return None;
            }
            None => Voided::Tags(state.tags.keys().copied().collect()),
        };
        Some((voided, state.last))
    }

    /// The level has been told everything up to a number.
    pub(super) fn told(&self, number: u64) {
        let mut state = self.state();
        state.tags.retain(|_, added| *added > number);
        state.all = state.all.filter(|added| *added > number);
        self.some.store(!state.is_empty(), Ordering::Release);
        drop(state);
        self.progress.send_modify(|progress| progress.heard = progress.heard.max(number));
    }

    /// The level did not listen.
    pub(super) fn failed(&self) {
        self.progress.send_modify(|progress| progress.failures += 1);
    }

    /// Nobody tells the level any more.
    pub(super) fn give_up(&self) {
        self.state().telling = false;
    }

    /// Returns the number of the last invalidation.
    pub(super) fn last(&self) -> u64 {
        self.state().last
    }

    /// Waits until the level has heard of a number, or does not listen.
    pub(super) async fn heard(&self, number: u64) {
        let mut progress = self.progress.subscribe();
        let failures = progress.borrow().failures;
        let is_over = |progress: &Progress| progress.heard >= number || progress.failures > failures;
        // An error would mean that the sender is gone, which `self` holds.
        _ = progress.wait_for(is_over).await;
    }

    /// Returns how many invalidations wait.
    pub(super) fn len(&self) -> usize {
        let state = self.state();
        state.tags.len() + usize::from(state.all.is_some())
    }

    // Every change is whole before its lock is given back.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.all.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(names: &[&str]) -> Voided {
        Voided::Tags(names.iter().map(|name| TagId::tag(name)).collect())
    }

    #[test]
    fn a_tag_waits_until_its_last_invalidation_was_told() {
        let pending = Pending::default();
        pending.add(&tags(&["a", "b"]));
        let (voided, number) = pending.next().unwrap();
        assert!(matches!(voided, Voided::Tags(tags) if tags.len() == 2));
        pending.add(&tags(&["a"]));
        pending.told(number);
        assert!(pending.concerns(&[TagId::tag("a")]), "again meanwhile");
        assert!(!pending.concerns(&[TagId::tag("b")]));
        let (_, number) = pending.next().unwrap();
        pending.told(number);
        assert!(!pending.concerns(&[TagId::tag("a")]));
        assert_eq!(pending.next(), None);
    }

    #[test]
    fn p33_too_many_invalidate_everything_and_none_is_dropped() {
        let pending = Pending::default();
        for number in 0..=MOST {
            pending.add(&tags(&[&number.to_string()]));
        }
        assert!(pending.len() <= MOST);
        assert!(pending.concerns(&[TagId::tag("7")]) && pending.concerns(&[TagId::tag("other")]));
        let (voided, number) = pending.next().unwrap();
        assert_eq!(voided, Voided::All);
        pending.add(&Voided::All);
        pending.told(number);
        assert!(pending.concerns(&[]), "the second one is still to be told");
    }

    #[test]
    fn one_at_a_time_tells() {
        let pending = Pending::default();
        assert!(!pending.begin(), "there is nothing to tell");
        pending.add(&Voided::All);
        assert!(pending.begin() && !pending.begin());
        let (_, number) = pending.next().unwrap();
        pending.told(number);
        assert_eq!(pending.next(), None);
        pending.add(&Voided::All);
        assert!(pending.begin());
    }
}
