//! What the cache counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;

use super::level::LevelStats;
use super::lookup::CacheOutcome;

/// Counts since the cache was made, and its state now.
///
/// The counts of the eight outcomes add up to the calls that were answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CacheStats {
    /// Entries in memory, those that were invalidated and not yet met included.
    pub entries: u64,
    /// Bytes that these take.
    pub bytes: u64,
    /// Bytes that they may take.
    pub capacity: u64,
    /// Functions that run now for callers to share.
    pub flights: u64,
    /// Calls answered from memory.
    pub memory: u64,
    /// Calls answered from what processes share.
    pub shared: u64,
    /// Calls answered from the database.
    pub database: u64,
    /// Calls that got the result of another call's run.
    pub coalesced: u64,
    /// Calls whose function ran.
    pub computed: u64,
    /// Calls answered with an old result.
    pub stale: u64,
    /// Calls answered with a kept "not found", or with the last failure of a function that is left alone for a while.
    pub negative: u64,
    /// Calls that the cache had no part in.
    pub bypass: u64,
    /// Results that were kept.
    pub stored: u64,
    /// Results that were too large to be kept.
    pub too_large: u64,
    /// Results dropped because something invalidated them while they were made.
    pub outdated: u64,
    /// Entries that made room for others.
    pub evicted: u64,
    /// Entries freed at the end of their life.
    pub expired: u64,
    /// Invalidations, each of one or more tags or of everything.
    pub invalidations: u64,
    /// Callers that waited for a run that another had started.
    pub joined: u64,
    /// Refreshes started in the background.
    pub refreshes: u64,
    /// Runs that failed while an old result was there to be served.
    pub throttled: u64,
    /// Calls that ran by themselves because too many flights were under way.
    pub flight_overflows: u64,
    /// Invalidations that voided everything because too many tags had marks.
    pub mark_overflows: u64,
    /// The levels below memory, from the top.
    pub levels: Vec<LevelStats>,
}

/// The counts that calls add to.
#[derive(Default)]
pub(super) struct Counts {
    outcomes: [AtomicU64; 8],
    pub(super) stored: Count,
    pub(super) too_large: Count,
    pub(super) outdated: Count,
    pub(super) expired: Count,
    pub(super) joined: Count,
    pub(super) refreshes: Count,
    pub(super) throttled: Count,
    pub(super) flight_overflows: Count,
}

impl Counts {
    pub(super) fn outcome(&self, outcome: CacheOutcome) {
        self.outcomes[outcome as usize].fetch_add(1, Relaxed);
    }

    /// Returns the statistics that consist of these counts, the rest being zero.
    pub(super) fn stats(&self) -> CacheStats {
        let outcome = |outcome: CacheOutcome| self.outcomes[outcome as usize].load(Relaxed);
        CacheStats {
            memory: outcome(CacheOutcome::Memory),
            shared: outcome(CacheOutcome::Shared),
            database: outcome(CacheOutcome::Database),
            coalesced: outcome(CacheOutcome::Coalesced),
            computed: outcome(CacheOutcome::Computed),
            stale: outcome(CacheOutcome::Stale),
            negative: outcome(CacheOutcome::Negative),
            bypass: outcome(CacheOutcome::Bypass),
            stored: self.stored.get(),
            too_large: self.too_large.get(),
            outdated: self.outdated.get(),
            expired: self.expired.get(),
            joined: self.joined.get(),
            refreshes: self.refreshes.get(),
            throttled: self.throttled.get(),
            flight_overflows: self.flight_overflows.get(),
            ..CacheStats::default()
        }
    }
}

/// A count that only grows.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
