//! A level as the cache uses it: with a deadline, breakers, and the invalidations that it has not heard of.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;

use super::breaker::Breaker;
use super::contract::{Answer, Level, LevelError, Origin, PoolFigures, Read, Tier, Voided, Write};
use super::pending::Pending;
use crate::cache::key::Key;
use crate::cache::tag::TagId;

/// How long is waited before a level is told again what it did not take.
const AGAIN: Duration = Duration::from_millis(200);

/// A level that may fail.
pub(super) struct Guarded {
    pub(super) level: Arc<dyn Level>,
    pub(super) tier: Tier,
    deadline: Duration,
    /// Apart, for one may work without the other: a full level can still be read.
    reads: Breaker,
    writes: Breaker,
    /// A level that can keep nothing more can still be told.
    tells: Breaker,
    pending: Pending,
    counts: Counts,
    /// The next level below.
    lower: Option<Arc<Guarded>>,
}

#[derive(Default)]
struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
    stored: AtomicU64,
    outdated: AtomicU64,
    corrupt: AtomicU64,
    skipped: AtomicU64,
    failures: AtomicU64,
}

/// What a level has done since the cache was made, and its state now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LevelStats {
    /// Which level it is: `shared` or `database`.
    pub level: String,
    /// Whether it is used now; if not, it has failed, and is tried again within seconds.
    pub up: bool,
    /// Calls that found their result there.
    pub hits: u64,
    /// Calls that did not.
    pub misses: u64,
    /// Results that were written to it.
    pub stored: u64,
    /// Results that it refused because something invalidated them while they were made.
    pub outdated: u64,
    /// Values that did not check out, and were removed.
    pub corrupt: u64,
    /// Calls that did not ask it: it had failed, or did not know yet of an invalidation.
    pub skipped: u64,
    /// Requests that failed or took too long.
    pub failures: u64,
    /// How often it was given up for a while.
    pub opened: u64,
    /// Invalidations that it has not heard of yet.
    pub pending: usize,
    /// Its connections, where there is a pool of them.
    pub pool: Option<PoolFigures>,
}

/// What became of a value that was found.
pub(super) enum Verdict {
    Hit,
    Miss,
    Corrupt,
}

impl Guarded {
    pub(super) fn new(
        level: Arc<dyn Level>,
        deadline: Duration,
        seed: u64,
        lower: Option<Arc<Self>>,
    ) -> Arc<Self> {
        let tier = level.tier();
        Arc::new(Self {
            level,
            tier,
            deadline,
            reads: Breaker::new(format!("{tier}, reading"), seed),
            writes: Breaker::new(format!("{tier}, writing"), !seed),
            tells: Breaker::new(format!("{tier}, invalidating"), seed.rotate_left(32)),
            pending: Pending::default(),
            counts: Counts::default(),
            lower,
        })
    }

    /// Reads a value and marks; `None` where the level is not to be asked, or did not answer.
    pub(super) async fn read(&self, key: &Key, tags: &[TagId]) -> Option<Read> {
        if self.pending.concerns(tags) {
            self.counts.skipped.fetch_add(1, Relaxed);
            return None;
        }
        self.asked(&self.reads, || self.level.read(key, tags)).await
    }

    /// Stores a value, unless it is outdated or the level cannot.
    pub(super) async fn write(&self, write: Write<'_>) {
        if self.pending.concerns(write.tags) {
            self.counts.skipped.fetch_add(1, Relaxed);
            return;
        }
        match self.asked(&self.writes, || self.level.write(write)).await {
            Some(true) => _ = self.counts.stored.fetch_add(1, Relaxed),
            Some(false) => _ = self.counts.outdated.fetch_add(1, Relaxed),
            None => {}
        }
    }

    /// Asks to be the one who computes; also where the level does not answer.
    pub(super) async fn lease(&self, key: &Key, holder: u64, time: Duration) -> bool {
        self.asked(&self.writes, || self.level.lease(key, holder, time)).await.unwrap_or(true)
    }

    pub(super) async fn release(&self, key: &Key, holder: u64) {
        self.asked(&self.writes, || self.level.release(key, holder)).await;
    }

    /// Removes a value that does not check out.
    pub(super) async fn discard(&self, key: &Key, value: &[u8]) {
        self.asked(&self.writes, || self.level.discard(key, value)).await;
    }

    /// Notes an invalidation, of which the level hears by [`tell`](Self::tell): from here on nothing that it
    /// concerns is read here. Returns its number.
    pub(super) fn invalidate(&self, voided: &Voided) -> u64 {
        self.pending.add(voided)
    }

    /// Tells the level what it has not heard, in a task of its own, until it has.
    pub(super) fn tell(self: &Arc<Self>, origin: Origin) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !self.pending.begin() {
            return;
        }
        let telling = Telling { guarded: Arc::clone(self), ended: false };
        runtime.spawn(async move {
            let guarded = Arc::clone(&telling.guarded);
            while let Some((voided, number)) = guarded.pending.next() {
                // From the bottom up: who finds nothing here must not find below what is invalid, and bring it up.
                if let Some(lower) = &guarded.lower {
                    lower.told().await;
                }
                match guarded.asked(&guarded.tells, || guarded.level.invalidate(&voided, origin)).await {
                    Some(()) => guarded.pending.told(number),
                    None => {
                        guarded.pending.failed();
                        tokio::time::sleep(AGAIN).await;
                    }
                }
            }
            telling.end();
        });
    }

    /// Waits until the level has heard of an invalidation, or is not likely to soon.
    pub(super) async fn heard(&self, number: u64) {
        // Who does not answer does not listen; who cannot keep anything may.
        if self.reads.is_open() || self.tells.is_open() {
            return;
        }
        _ = tokio::time::timeout(self.deadline, self.pending.heard(number)).await;
    }

    /// Returns whether the level has heard of everything.
    pub(super) fn knows(&self) -> bool {
        self.pending.len() == 0
    }

    /// Waits until the level has heard of everything, or is not likely to soon.
    async fn told(&self) {
        self.heard(self.pending.last()).await;
    }

    pub(super) fn counted(&self, verdict: &Verdict) {
        let count = match verdict {
            Verdict::Hit => &self.counts.hits,
            Verdict::Miss => &self.counts.misses,
            Verdict::Corrupt => &self.counts.corrupt,
        };
        count.fetch_add(1, Relaxed);
    }

    pub(super) fn stats(&self) -> LevelStats {
        let of = |count: &AtomicU64| count.load(Relaxed);
        let Counts { hits, misses, stored, outdated, corrupt, skipped, failures } = &self.counts;
        LevelStats {
            level: self.tier.to_string(),
            up: !self.reads.is_open() && !self.writes.is_open() && !self.tells.is_open(),
            hits: of(hits),
            misses: of(misses),
            stored: of(stored),
            outdated: of(outdated),
            corrupt: of(corrupt),
            skipped: of(skipped),
            failures: of(failures),
            opened: self.reads.opened() + self.writes.opened() + self.tells.opened(),
            pending: self.pending.len(),
            pool: self.level.pool(),
        }
    }

    async fn asked<'a, T>(&self, breaker: &Breaker, ask: impl FnOnce() -> Answer<'a, T>) -> Option<T> {
        let Some(permit) = breaker.enter() else {
            self.counts.skipped.fetch_add(1, Relaxed);
            return None;
        };
        let error = match tokio::time::timeout(self.deadline, ask()).await {
            Ok(Ok(answer)) => {
                permit.succeeded();
                return Some(answer);
            }
            Ok(Err(error)) => error,
            Err(_) => LevelError::new(format_args!("no answer within {:?}", self.deadline)),
        };
        self.counts.failures.fetch_add(1, Relaxed);
        tracing::debug!(level = %self.tier, %error, "a level failed");
        if !error.is_busy() {
            permit.failed(&error);
        }
        None
    }
}

/// Somebody tells the level, until the end of its task, be it that of the runtime.
struct Telling {
    guarded: Arc<Guarded>,
    /// Whether all was told: then somebody else may be telling already.
    ended: bool,
}

impl Telling {
    fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if !self.ended {
            self.guarded.pending.give_up();
        }
    }
}
