//! Whether anything is heard, and what is heard besides the statements of calls.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

static WATCHED: AtomicBool = AtomicBool::new(false);
static OUTSIDE: AtomicBool = AtomicBool::new(false);
static UNATTRIBUTED: AtomicU64 = AtomicU64::new(0);
static POOL: Pool = Pool { waits: AtomicU64::new(0), total_ns: AtomicU64::new(0), max_ns: AtomicU64::new(0) };

/// Whether a layer was made that hears statements; nothing else here costs anything before.
pub fn is_watched() -> bool {
    WATCHED.load(Relaxed)
}

/// Whether a statement ran on a thread that no call and no runtime is on, in no span of a call.
///
/// SQLite's statements run on threads of their own. Such a statement finds its call through the
/// call's span only, so from here on every call needs one. Statements that run before the first call,
/// such as migrations of a SQLite file, count as well.
pub fn seen_outside() -> bool {
    OUTSIDE.load(Relaxed)
}

/// Returns how many statements belonged to no call.
pub fn unattributed() -> u64 {
    UNATTRIBUTED.load(Relaxed)
}

/// What waiting for connections of sqlx's pools took in this process.
///
/// sqlx tells only of waits over 2 s (`acquire_slow_threshold`) unless the pool is made with
/// `acquire_time_level(log::LevelFilter::Debug)`, or another level than `Off`.
pub fn pool() -> PoolFigures {
    PoolFigures {
        waits: POOL.waits.load(Relaxed),
        total_ns: POOL.total_ns.load(Relaxed),
        max_ns: POOL.max_ns.load(Relaxed),
    }
}

struct Pool {
    waits: AtomicU64,
    total_ns: AtomicU64,
    max_ns: AtomicU64,
}

/// What waiting for connections took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolFigures {
    /// How many waits sqlx told of.
    pub waits: u64,
    /// How long they took in total, in nanoseconds.
    pub total_ns: u64,
    /// How long the longest took, in nanoseconds.
    pub max_ns: u64,
}

#[cfg(feature = "queries")]
pub(super) use heard::*;

/// What the layer tells.
#[cfg(feature = "queries")]
mod heard {
    use std::time::Duration;

    use super::*;
    use crate::profile::ticks::nanos;

    /// Notes that there is a layer.
    pub(in super::super) fn a_layer() {
        WATCHED.store(true, Relaxed);
    }

    /// Counts a statement that belongs to no call.
    pub(in super::super) fn a_stray() {
        UNATTRIBUTED.fetch_add(1, Relaxed);
        if tokio::runtime::Handle::try_current().is_err() {
            OUTSIDE.store(true, Relaxed);
        }
    }

    /// Counts a statement whose call had ended.
    pub(in super::super) fn a_late_one() {
        UNATTRIBUTED.fetch_add(1, Relaxed);
    }

    /// Counts a wait for a connection.
    pub(in super::super) fn a_wait(took: Duration) {
        let took = nanos(took);
        POOL.waits.fetch_add(1, Relaxed);
        POOL.total_ns.fetch_add(took, Relaxed);
        POOL.max_ns.fetch_max(took, Relaxed);
    }
}
