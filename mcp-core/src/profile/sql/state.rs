//! Whether the events of sqlx reach the layer, in words.

use std::cell::Cell;

use tracing::Level;
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

use super::is_watched;

thread_local! {
    /// Whether the layer was asked on this thread.
    static HEARD: Cell<bool> = const { Cell::new(false) };
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
    if passed && heard && spans_pass {
        State::On
    } else if passed && heard {
        State::Blocked { note: blocked("the spans of calls", "mcp_core::call=info") }
    } else if heard || (is_watched() && !passed) {
        State::Blocked { note: blocked("the target `sqlx::query`", "sqlx::query=debug") }
    } else {
        let what = if is_watched() { "the layer is not part of the subscriber" } else { "there is no layer" };
        let note = format!(
            "{what}: write `tracing_subscriber::registry().with(mcp_core::profile::sql::layer()).init()`, or \
             add the layer to the subscriber that is there"
        );
        State::Off { note }
    }
}

fn blocked(held_back: &str, allow: &str) -> String {
    let most = LevelFilter::current();
    let everything = format!("everything below {most}");
    let held_back = if most < LevelFilter::DEBUG { &everything } else { held_back };
    format!(
        "a filter of the whole subscriber holds back {held_back}: put it on the layer that prints, with \
         `.with_filter(..)`, or let `{allow}` through"
    )
}

/// Asks whether something is enabled; returns the answer, and whether the layer was asked for its own.
fn probe(ask: impl FnOnce() -> bool) -> (bool, bool) {
    _ = HEARD.try_with(|heard| heard.set(false));
    let passed = ask();
    (passed, HEARD.try_with(Cell::get).unwrap_or(false))
}

/// Notes that the layer is asked for something that `state` wants to know, not sqlx.
#[cfg(feature = "queries")]
pub(super) fn note_probe(metadata: &tracing::Metadata<'_>) {
    if metadata.module_path() == Some(module_path!()) {
        _ = HEARD.try_with(|heard| heard.set(true));
    }
}
