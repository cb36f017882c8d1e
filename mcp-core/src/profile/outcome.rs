//! How a call ended, and where its result came from.

use serde::{Deserialize, Serialize};

use crate::cache::CacheOutcome;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With a result.
    Ok,
    /// With an error that the caller reads.
    ToolError,
    /// With an error that is hidden from the caller, a timeout, or no free place.
    Error,
    /// By the caller, while the function knew of it.
    Cancelled,
    /// By the caller, and the function was dropped.
    Dropped,
    /// With a panic.
    Panic,
    /// With a question to the user, which the repeated call answers.
    InputRequired,
}

impl Outcome {
    /// All outcomes in the order of the reports.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::ToolError,
        Self::Error,
        Self::Cancelled,
        Self::Dropped,
        Self::Panic,
        Self::InputRequired,
    ];

    /// Returns the word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ToolError => "tool_error",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Dropped => "dropped",
            Self::Panic => "panic",
            Self::InputRequired => "input_required",
        }
    }

    /// Returns whether the call did not do what it was for.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::ToolError | Self::Error | Self::Panic)
    }
}

impl CacheOutcome {
    /// All outcomes in the order of the reports.
    pub const ALL: [Self; 8] = [
        Self::Memory,
        Self::Shared,
        Self::Database,
        Self::Coalesced,
        Self::Computed,
        Self::Stale,
        Self::Negative,
        Self::Bypass,
    ];

    /// Returns the word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Shared => "shared",
            Self::Database => "database",
            Self::Coalesced => "coalesced",
            Self::Computed => "computed",
            Self::Stale => "stale",
            Self::Negative => "negative",
            Self::Bypass => "bypass",
        }
    }

    /// Returns whether the call ran the function itself.
    pub const fn is_own_run(self) -> bool {
        matches!(self, Self::Computed | Self::Bypass)
    }
}
