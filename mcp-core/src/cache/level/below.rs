//! All levels below memory as one: looked through from the top, written with what was seen on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;

use super::contract::{Level, Marks, Origin, Tier, Voided, Write};
use super::envelope::{Flaw, Sealer};
use super::guarded::{Guarded, LevelStats, Verdict};
use crate::cache::entry::Life;
use crate::cache::lookup::Lookup;
use crate::policy::{Levels, Scope};

/// A result with more tags stays in memory: levels compare the marks of all of them each time.
const MOST_TAGS: usize = 256;

/// The levels below memory, from the top.
pub(crate) struct Below {
    pub(super) levels: Box<[Arc<Guarded>]>,
    /// Whether one of many processes computes for all.
    pub(super) leases: bool,
    holders: AtomicU64,
    sealer: Sealer,
    origin: Origin,
    deadline: Duration,
    /// Whether they may keep what is not public.
    private: bool,
}

/// What was seen of the levels before the function ran.
#[derive(Default)]
pub(crate) struct Look {
    pub(crate) found: Option<Found>,
    /// The marks at each level that answered: only what has these is stored there.
    marks: Vec<Option<Marks>>,
}

impl Look {
    /// Returns whether the first level answered.
    pub(super) fn has_first(&self) -> bool {
        matches!(self.marks.first(), Some(Some(_)))
    }

    /// Returns whether what was found may be served as it is.
    pub(crate) fn serves(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.age < found.life.fresh.max(found.life.stale))
    }

    /// Forgets what was found, so that what is made now is stored where it was as well.
    pub(crate) fn unfound(self) -> Self {
        Self { found: None, ..self }
    }
}

/// A result that a level had.
pub(crate) struct Found {
    pub(crate) tier: Tier,
    pub(crate) body: Bytes,
    pub(crate) life: Life,
    pub(crate) age: Duration,
}

impl Below {
    pub(crate) fn new(
        levels: Vec<Arc<dyn Level>>,
        sealer: Sealer,
        deadline: Duration,
        private: bool,
        leases: bool,
        origin: u64,
    ) -> Self {
        let mut levels = levels;
        levels.sort_by_key(|level| level.tier());
        let mut guarded: Vec<Arc<Guarded>> = Vec::new();
        for level in levels.into_iter().rev() {
            guarded.push(Guarded::new(level, deadline, origin, guarded.last().cloned()));
        }
        guarded.reverse();
        let levels = guarded.into();
        let holders = AtomicU64::new(origin);
        Self { levels, leases, holders, sealer, origin: Origin(origin), deadline, private }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// Returns a number that nobody else has.
    pub(super) fn next_holder(&self) -> u64 {
        self.holders.fetch_add(1, Relaxed)
    }

    /// Returns the level whose invalidations are listened to: the one that is shared most widely.
    pub(crate) fn leading(&self) -> Option<&Arc<dyn Level>> {
        self.levels.first().map(|guarded| &guarded.level)
    }

    /// Returns all levels, for what is to be done now and then.
    pub(crate) fn levels(&self) -> impl Iterator<Item = &Arc<dyn Level>> {
        self.levels.iter().map(|guarded| &guarded.level)
    }

    /// Returns whether the result of a call may be below.
    pub(crate) fn keeps(&self, lookup: &Lookup) -> bool {
        !self.levels.is_empty()
            && lookup.tags.len() <= MOST_TAGS
            && lookup.policy.levels != Levels::Memory
            && (self.private || lookup.policy.scope == Scope::Public)
    }

    /// Returns how long a look may take, and the wait for a lease.
    pub(crate) fn patience(&self) -> Duration {
        let looks = self.deadline * u32::try_from(self.levels.len()).unwrap_or(u32::MAX);
        // With a lease: a look before and after the wait for it, and one that began before its end.
        if self.leases { looks * 4 + super::lease::PATIENCE } else { looks }
    }

    /// Looks for a result that is not older than `newer_than`, where that is given.
    pub(crate) async fn look(&self, lookup: &Lookup, newer_than: Option<Duration>) -> Look {
        let mut look = Look::default();
        for guarded in &self.levels {
            let Some(read) = guarded.read(&lookup.key, &lookup.tags).await else {
                look.marks.push(None);
                continue;
            };
            look.found = match read.value {
                Some((value, left)) => self.open(guarded, lookup, &read.marks, value, left, newer_than),
                None => None,
            };
            guarded.counted(if look.found.is_some() { &Verdict::Hit } else { &Verdict::Miss });
            look.marks.push(Some(read.marks));
            if look.found.is_some() {
                break;
            }
        }
        look
    }

    /// Looks at every level.
    pub(crate) async fn each(&self, lookup: &Lookup) -> Vec<Found> {
        let mut all = Vec::new();
        for guarded in &self.levels {
            if let Some(read) = guarded.read(&lookup.key, &lookup.tags).await
                && let Some((value, left)) = read.value
            {
                all.extend(self.open(guarded, lookup, &read.marks, value, left, None));
            }
        }
        all
    }

    fn open(
        &self,
        guarded: &Arc<Guarded>,
        lookup: &Lookup,
        marks: &Marks,
        value: Vec<u8>,
        left: Duration,
        newer_than: Option<Duration>,
    ) -> Option<Found> {
        let largest = lookup.policy.max_bytes;
        let value = Bytes::from(value);
        match self.sealer.open(&lookup.key, &lookup.tags, marks, &value, largest) {
            Ok((life, body)) => {
                let age = life.total().saturating_sub(left);
                let found = Found { tier: guarded.tier, body, life, age };
                newer_than.is_none_or(|newest| age < newest).then_some(found)
            }
            Err(Flaw::Outdated) => None,
            Err(Flaw::Corrupt(reason)) => {
                guarded.counted(&Verdict::Corrupt);
                tracing::debug!(level = %guarded.tier, key = ?lookup.key, reason, "a value did not check out");
                let (guarded, key) = (Arc::clone(guarded), lookup.key);
                tokio::spawn(async move { guarded.discard(&key, &value).await });
                None
            }
        }
    }

    /// Writes a result to the levels that were looked at and did not have it.
    pub(crate) async fn write(&self, lookup: &Lookup, look: &Look, body: &Bytes, life: Life, age: Duration) {
        let above = look.found.as_ref().map(|found| found.tier);
        // It ends with the one that it is a copy of.
        let left = life.after(age).total();
        if left.is_zero() {
            return;
        }
        for (guarded, marks) in self.levels.iter().zip(&look.marks) {
            let Some(marks) = marks.as_ref().filter(|_| above.is_none_or(|tier| guarded.tier < tier)) else {
                continue;
            };
            let (key, tags) = (&lookup.key, &*lookup.tags);
            let is_private = lookup.policy.scope != Scope::Public;
            let Some(value) = self.sealer.seal(key, tags, marks, &life, body, is_private) else { continue };
            guarded.write(Write { key, tags, marks, value: &value, life: left }).await;
        }
    }

    /// Notes an invalidation at all levels, before it takes effect here. Returns its numbers.
    pub(crate) fn invalidate(&self, voided: &Voided) -> Vec<u64> {
        self.levels.iter().map(|guarded| guarded.invalidate(voided)).collect()
    }

    /// Notes what another process has invalidated at the first level, which it may have failed to tell the others.
    pub(crate) fn overheard(&self, voided: &Voided) {
        for guarded in self.levels.iter().skip(1) {
            guarded.invalidate(voided);
        }
    }

    /// The first level has lost what was written last: nothing in it is read before it is invalidated.
    pub(crate) fn lost(&self) {
        if let Some(guarded) = self.levels.first() {
            guarded.invalidate(&Voided::All);
        }
    }

    /// Returns whether all levels have heard of everything.
    pub(crate) fn know(&self) -> bool {
        self.levels.iter().all(|guarded| guarded.knows())
    }

    /// Removes what there may be of a result that is no more.
    pub(crate) async fn remove(&self, lookup: &Lookup, look: &Look) {
        let (key, tags) = (&lookup.key, &*lookup.tags);
        for (guarded, marks) in self.levels.iter().zip(&look.marks) {
            if let Some(marks) = marks {
                // What ends at once takes its place.
                guarded.write(Write { key, tags, marks, value: &[], life: Duration::from_millis(1) }).await;
            }
        }
    }

    /// Tells the levels what they have not heard of.
    pub(crate) fn tell(&self) {
        self.levels.iter().for_each(|guarded| guarded.tell(self.origin));
    }

    /// Waits until all levels have heard of an invalidation, or are not likely to soon.
    pub(crate) async fn heard(&self, numbers: &[u64]) {
        for (guarded, number) in self.levels.iter().zip(numbers) {
            guarded.heard(*number).await;
        }
    }

    pub(crate) fn stats(&self) -> Vec<LevelStats> {
        self.levels.iter().map(|guarded| guarded.stats()).collect()
    }
}
