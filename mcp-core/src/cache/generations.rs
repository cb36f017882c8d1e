//! The one mechanism of invalidation: what began before it is void.
//!
//! An invalidation takes the next number of a counter and marks its tags with it. Whatever holds a
//! value (an entry, a flight, a refresh) carries a [`Stamp`] taken before the function began to
//! run, and is void once one of its tags has a later mark. Nothing is searched for or deleted, a
//! result that arrives late needs no special care, and the cost is the number of tags given.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::tag::TagId;

/// How many tags keep a mark of their own: at 24 bytes and slack, about 3 MiB.
const MOST_MARKS: usize = 65_536;

/// The marks that invalidations leave.
#[derive(Default)]
pub(super) struct Generations {
    /// The number of the last invalidation.
    last: AtomicU64,
    /// The order in which stamps were taken.
    stamps: AtomicU64,
    marks: RwLock<Marks>,
    overflows: AtomicU64,
}

#[derive(Default)]
struct Marks {
    /// The last invalidation of everything.
    all: u64,
    tags: HashMap<TagId, u64>,
}

/// When something began, and the tags that can void it.
#[derive(Debug)]
pub(super) struct Stamp {
    since: u64,
    order: u64,
    tags: Arc<[TagId]>,
    /// The last invalidation that this stamp is known to have outlived.
    checked: AtomicU64,
}

impl Generations {
    /// Takes the stamp of what begins now.
    pub(super) fn stamp(&self, tags: Arc<[TagId]>) -> Stamp {
        // Pairs with the Release in `mark`: whoever sees the number sees what was changed before it.
        let since = self.last.load(Acquire);
        Stamp { since, order: self.stamps.fetch_add(1, Relaxed), tags, checked: AtomicU64::new(since) }
    }

    /// Voids everything that began before and has one of these tags.
    pub(super) fn invalidate(&self, tags: &[TagId]) {
        if tags.is_empty() {
            return;
        }
        self.mark(|marks, number, overflows| {
            if marks.tags.len() + tags.len() > MOST_MARKS {
                // Too much is voided, which is safe; too little never is.
                marks.all = number;
                marks.tags.clear();
                overflows.fetch_add(1, Relaxed);
            } else {
                marks.tags.extend(tags.iter().map(|&tag| (tag, number)));
            }
        });
    }

    /// Voids everything that began before.
    pub(super) fn clear(&self) {
        self.mark(|marks, number, _| {
            marks.all = number;
            marks.tags.clear();
        });
    }

    /// Returns whether nothing invalidated this since it began.
    pub(super) fn is_valid(&self, stamp: &Stamp) -> bool {
        if self.last.load(Acquire) == stamp.checked.load(Relaxed) {
            return true;
        }
        let marks = self.read();
        // Under the lock nobody can be between its marks and its number.
        let last = self.last.load(Acquire);
        let later = |mark: u64| mark > stamp.since;
        let void =
            later(marks.all) || stamp.tags.iter().any(|tag| marks.tags.get(tag).copied().is_some_and(later));
        if !void {
            stamp.checked.store(last, Relaxed);
        }
        !void
    }

    /// Returns how many invalidations there were.
    pub(super) fn count(&self) -> u64 {
        self.last.load(Relaxed)
    }

    /// Returns how often there were too many marks and everything was voided instead.
    pub(super) fn overflows(&self) -> u64 {
        self.overflows.load(Relaxed)
    }

    fn mark(&self, write: impl FnOnce(&mut Marks, u64, &AtomicU64)) {
        let mut marks = self.write();
        let number = self.last.load(Relaxed) + 1;
        write(&mut marks, number, &self.overflows);
        self.last.store(number, Release);
    }

    // Every write is complete before the number that makes it count: a poisoned lock guards whole marks.
    fn read(&self) -> RwLockReadGuard<'_, Marks> {
        self.marks.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Marks> {
        self.marks.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stamp {
    /// Returns whether this began later than the other.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        self.order > other.order
    }

    /// Returns the tags that can void it.
    pub(super) fn tags(&self) -> &[TagId] {
        &self.tags
    }
}

impl Clone for Stamp {
    fn clone(&self) -> Self {
        let checked = AtomicU64::new(self.checked.load(Relaxed));
        Self { since: self.since, order: self.order, tags: Arc::clone(&self.tags), checked }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(generations: &Generations, tags: &[&str]) -> Stamp {
        generations.stamp(tags.iter().map(|name| TagId::tag(name)).collect())
    }

    #[test]
    fn a_stamp_is_void_after_an_invalidation_of_one_of_its_tags() {
        let generations = Generations::default();
        let both = stamp(&generations, &["a", "b"]);
        let other = stamp(&generations, &["c"]);
        generations.invalidate(&[TagId::tag("b")]);
        assert!(!generations.is_valid(&both));
        assert!(generations.is_valid(&other));
        assert!(generations.is_valid(&stamp(&generations, &["a", "b"])));
        generations.clear();
        assert!(!generations.is_valid(&other));
    }

    #[test]
    fn a_stamp_that_outlived_one_invalidation_is_void_after_the_next() {
        let generations = Generations::default();
        let stamp = stamp(&generations, &["a"]);
        generations.invalidate(&[TagId::tag("b")]);
        assert!(generations.is_valid(&stamp));
        assert!(generations.is_valid(&stamp.clone()));
        generations.invalidate(&[TagId::tag("a")]);
        assert!(!generations.is_valid(&stamp.clone()));
        assert!(!generations.is_valid(&stamp));
    }

    #[test]
    fn p44_marks_are_bounded_and_overflow_voids_more_never_less() {
        let generations = Generations::default();
        let first = stamp(&generations, &["0"]);
        let bystander = stamp(&generations, &["x"]);
        for name in 0..MOST_MARKS + 10 {
            generations.invalidate(&[TagId::tag(&name.to_string())]);
        }
        assert!(!generations.is_valid(&first));
        assert!(!generations.is_valid(&bystander), "too much is voided");
        assert!(generations.is_valid(&stamp(&generations, &["0", "x"])));
        assert!(generations.read().tags.len() <= MOST_MARKS);
        assert_eq!(generations.overflows(), 1);
    }
}
