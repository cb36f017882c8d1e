//! Whether the events of sqlx are heard, and what is heard besides statements.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};
use tracing::{Level, Metadata};

use super::statements::nanoseconds;

static WATCHED: AtomicBool = AtomicBool::new(false);
static OUTSIDE: AtomicBool = AtomicBool::new(false);
static UNATTRIBUTED: AtomicU64 = AtomicU64::new(0);
static POOL: Pool = Pool { waits: AtomicU64::new(0), total_ns: AtomicU64::new(0), max_ns: AtomicU64::new(0) };

thread_local! {
    static HEARD: Cell<bool> = const { Cell::new(false) };
}

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

/// Whether statements are heard on this thread, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// They are.
    On,
    /// Nothing is there that would hear them.
    Off {
        /// What is missing, and what to write.
        note: String,
    },
    /// Something keeps them from the layer.
    Blocked {
        /// By what, and what to write.
        note: String,
    },
}

impl State {
    /// Returns the word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off { .. } => "off",
            Self::Blocked { .. } => "blocked",
        }
    }

    /// Returns why, and what to write.
    pub fn note(&self) -> Option<&str> {
        match self {
            Self::On => None,
            Self::Off { note } | Self::Blocked { note } => Some(note),
        }
    }
}

/// Looks whether statements are heard on this thread; writes no event.
///
/// It cannot see `disable_statement_logging()` or `log_statements(Off)` of a connection's options.
pub fn state() -> State {
    if cfg!(not(feature = "queries")) {
        let note = "this build cannot hear statements: turn on the feature `queries` of `mcp-core`";
        return State::Off { note: note.into() };
    }
    if STATIC_MAX_LEVEL < LevelFilter::DEBUG {
        let note = format!(
            "this build leaves out all events below {STATIC_MAX_LEVEL}: remove the feature \
             `max_level_{STATIC_MAX_LEVEL}` or `release_max_level_{STATIC_MAX_LEVEL}` of `tracing`"
        );
        return State::Blocked { note };
    }
    let (passed, heard) = probe(|| tracing::enabled!(target: "sqlx::query", Level::DEBUG));
    // It comes last: what filters remember of a probe then fits the next span of a call.
    let (spans_pass, _) = probe(|| tracing::enabled!(target: "mcp_core::call", Level::INFO));
    match (passed, heard) {
        (true, true) if spans_pass => State::On,
        (true, true) => State::Blocked { note: blocked("`mcp_core::call=info`", "the spans of calls") },
        (false, true) => State::Blocked { note: blocked("`sqlx::query=debug`", "the target `sqlx::query`") },
        (false, false) if is_watched() => {
            State::Blocked { note: blocked("`sqlx::query=debug`", "the target `sqlx::query`") }
        }
        (_, false) => {
            let write = "write `tracing_subscriber::registry().with(mcp_core::profile::sql::layer()).init()`, \
                         or add the layer to the subscriber that is there";
            let note =
                if is_watched() { "the layer is not part of the subscriber" } else { "there is no layer" };
            State::Off { note: format!("{note}: {write}") }
        }
    }
}

fn blocked(allow: &str, held_back: &str) -> String {
    let most = LevelFilter::current();
    let what =
        if most < LevelFilter::DEBUG { format!("everything below {most}") } else { held_back.to_owned() };
    format!(
        "a filter of the whole subscriber holds back {what}: put it on the layer that prints, with \
         `.with_filter(..)`, or let {allow} through"
    )
}

/// Asks whether something is enabled; returns the answer, and whether the layer was asked for its own.
fn probe(ask: impl FnOnce() -> bool) -> (bool, bool) {
    _ = HEARD.try_with(|heard| heard.set(false));
    let passed = ask();
    (passed, HEARD.try_with(Cell::get).unwrap_or(false))
}

/// What only the layer calls.
#[cfg_attr(not(feature = "queries"), expect(dead_code, reason = "the layer calls it"))]
pub(super) mod heard {
    use super::*;

    /// Notes that there is a layer.
    pub(in super::super) fn layer() {
        WATCHED.store(true, Relaxed);
    }

    /// Whether a question is not sqlx's, but one of `state`.
    pub(in super::super) fn is_probe(metadata: &Metadata<'_>) -> bool {
        // `module_path!()` of the questions, not of this module.
        metadata.module_path().is_some_and(|path| module_path!().strip_suffix("::heard") == Some(path))
    }

    /// Notes that the layer was asked.
    pub(in super::super) fn probe() {
        _ = HEARD.try_with(|heard| heard.set(true));
    }

    /// Counts a statement that belongs to no call.
    pub(in super::super) fn unattributed() {
        UNATTRIBUTED.fetch_add(1, Relaxed);
        if tokio::runtime::Handle::try_current().is_err() {
            OUTSIDE.store(true, Relaxed);
        }
    }

    /// Counts a wait for a connection.
    pub(in super::super) fn wait(took: Duration) {
        let took = nanoseconds(took);
        POOL.waits.fetch_add(1, Relaxed);
        POOL.total_ns.fetch_add(took, Relaxed);
        POOL.max_ns.fetch_max(took, Relaxed);
    }
}
