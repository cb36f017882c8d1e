//! The memory level: a moka cache bounded by bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::notification::RemovalCause;
use moka::ops::compute::{CompResult, Op};
use moka::sync::Cache;

use super::entry::Entry;
use super::key::Key;

/// How many inserted bytes moka may owe its bound before it is made to pay.
const MOST_UNMAINTAINED: u64 = 1 << 20;
/// No entry takes more than this share of the level.
const LARGEST_SHARE: u64 = 8;

/// Entries by key. Whether one may still be served is for the caller to judge.
pub(super) struct Memory {
    entries: Cache<Key, Arc<Entry>>,
    capacity: u64,
    unmaintained: AtomicU64,
    removed: Arc<Removed>,
}

#[derive(Default)]
struct Removed {
    evicted: AtomicU64,
    expired: AtomicU64,
}

impl Memory {
    pub(super) fn new(capacity: u64) -> Self {
        let removed = Arc::new(Removed::default());
        let counts = Arc::clone(&removed);
        let entries = Cache::builder()
            .max_capacity(capacity)
            .weigher(|_: &Key, entry: &Arc<Entry>| entry.weight())
            .expire_after(FreeMemory)
            .eviction_listener(move |_, _, cause| match cause {
                RemovalCause::Size => _ = counts.evicted.fetch_add(1, Relaxed),
                RemovalCause::Expired => _ = counts.expired.fetch_add(1, Relaxed),
                RemovalCause::Explicit | RemovalCause::Replaced => {}
            })
            .build();
        Self { entries, capacity, unmaintained: AtomicU64::new(0), removed }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.entries.get(key)
    }

    /// Keeps an entry, unless one that is to `stay` is there already; returns whether it is kept.
    pub(super) fn put(&self, key: Key, entry: Arc<Entry>, stay: impl FnOnce(&Entry) -> bool) -> bool {
        let weight = entry.weight();
        let mut kept = true;
        self.entries.entry(key).and_compute_with(|old| {
            kept = !old.is_some_and(|old| stay(old.value()));
            if kept { Op::Put(entry) } else { Op::Nop }
        });
        if kept && self.unmaintained.fetch_add(weight.into(), Relaxed) + u64::from(weight) > MOST_UNMAINTAINED
        {
            self.maintain();
        }
        kept
    }

    /// Removes whatever is there, unless it is to `stay`; returns whether something was removed.
    pub(super) fn remove(&self, key: &Key, stay: impl FnOnce(&Entry) -> bool) -> bool {
        let done = self.entries.entry_by_ref(key).and_compute_with(|old| match old {
            Some(old) if !stay(old.value()) => Op::Remove,
            _ => Op::Nop,
        });
        matches!(done, CompResult::Removed(_))
    }

    /// Removes this very entry; one that took its place meanwhile stays.
    pub(super) fn remove_exactly(&self, key: &Key, entry: &Arc<Entry>) -> bool {
        self.remove(key, |old| !std::ptr::eq(old, Arc::as_ptr(entry)))
    }

    /// Returns whether an entry is too large for this level, which then evicts half of itself for it.
    pub(super) fn refuses(&self, entry: &Entry) -> bool {
        u64::from(entry.weight()) > self.capacity / LARGEST_SHARE
    }

    /// Frees everything.
    pub(super) fn clear(&self) {
        self.entries.invalidate_all();
        self.maintain();
    }

    /// Evicts what is over the bound and frees what expired.
    ///
    /// moka has no thread of its own: without this, memory is freed by later calls.
    pub(super) fn maintain(&self) {
        self.unmaintained.store(0, Relaxed);
        self.entries.run_pending_tasks();
    }

    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    pub(super) fn entries(&self) -> u64 {
        self.entries.entry_count()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.entries.weighted_size()
    }

    pub(super) fn evicted(&self) -> u64 {
        self.removed.evicted.load(Relaxed)
    }

    pub(super) fn expired(&self) -> u64 {
        self.removed.expired.load(Relaxed)
    }
}

/// Tells moka when an entry can serve nobody any more, in its own time.
struct FreeMemory;

impl Expiry<Key, Arc<Entry>> for FreeMemory {
    fn expire_after_create(&self, _: &Key, entry: &Arc<Entry>, _: Instant) -> Option<Duration> {
        Some(entry.kept_for())
    }

    // The default keeps the old entry's deadline.
    fn expire_after_update(
        &self,
        _: &Key,
        entry: &Arc<Entry>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.kept_for())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::KeyWriter;
    use crate::cache::entry::Life;
    use crate::cache::generations::Generations;
    use crate::policy::CachePolicy;

    fn key(number: u64) -> Key {
        KeyWriter::new(&[1; 32], "test", 1, 0).field("number", &number).finish().unwrap()
    }

    fn entry(size: usize) -> Arc<Entry> {
        let stamp = Generations::default().stamp([].into());
        let body = vec![0; size].into();
        let life = Life::of(&CachePolicy::new(), Duration::from_secs(60));
        Arc::new(Entry::body(body, stamp, Duration::ZERO, life, Duration::ZERO))
    }

    #[test]
    fn p06_weight_stays_within_the_capacity_however_keys_come_back() {
        let memory = Memory::new(1 << 20);
        for number in 0..20_000 {
            memory.put(key(number % 300), entry(10_000), |_| false);
            if number % 100 == 0 {
                memory.maintain();
                assert!(memory.bytes() <= memory.capacity());
            }
        }
        memory.maintain();
        assert!(memory.bytes() <= memory.capacity());
        assert!(memory.evicted() > 0);
        assert_eq!(memory.expired(), 0);
    }

    #[test]
    fn an_entry_that_took_the_place_of_another_is_not_removed_for_it() {
        let memory = Memory::new(1 << 20);
        let (old, new) = (entry(1), entry(2));
        memory.put(key(1), Arc::clone(&old), |_| false);
        memory.put(key(1), Arc::clone(&new), |_| false);
        memory.remove_exactly(&key(1), &old);
        assert!(memory.get(&key(1)).is_some_and(|there| Arc::ptr_eq(&there, &new)));
        memory.remove_exactly(&key(1), &new);
        assert!(memory.get(&key(1)).is_none());
    }
}
