//! What the user chose in `cache(..)`.

use std::time::Duration;

/// Who shares a cached result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The same identity with the same permissions.
    #[default]
    Private,
    /// Everybody of the same tenant; a caller without a tenant shares with nobody.
    Tenant,
    /// Everybody.
    Public,
}

/// When a result is refreshed before its time is over.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum RefreshAhead {
    /// Not before.
    #[default]
    Off,
    /// At this share of the ttl, between 0 and 1.
    At(f64),
    /// At a random time whose chance grows as the end comes near and the computation is costly
    /// (XFetch: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede
    /// Prevention", VLDB 2015).
    Auto,
}

/// Which levels keep a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Levels {
    /// All that are configured.
    #[default]
    All,
    /// This process alone.
    Memory,
    /// What processes share, not this process.
    Shared,
}

/// The cache policy of a component, as its attribute declares it.
///
/// Built by `const` methods so that the attributes can place it in a `static`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct CachePolicy {
    /// How long a result is fresh; `None`: as the configuration says.
    pub ttl: Option<Duration>,
    /// Who shares a result.
    pub scope: Scope,
    /// For how long after the ttl the old result is served at once while a refresh runs.
    pub stale: Duration,
    /// Until when after the start of its life an old result replaces a failure.
    pub stale_if_error: Duration,
    /// When a refresh starts early.
    pub refresh_ahead: RefreshAhead,
    /// For how long a [`ToolError::not_found`](crate::ToolError::not_found) is kept; zero: not at all.
    pub negative: Duration,
    /// Which levels keep a result.
    pub levels: Levels,
    /// The largest result that is kept, in bytes.
    pub max_bytes: usize,
    /// Part of the key: a new number makes every older result unreachable.
    pub version: u32,
}

impl CachePolicy {
    /// Creates the policy of a bare `cache`.
    pub const fn new() -> Self {
        Self {
            ttl: None,
            scope: Scope::Private,
            stale: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            refresh_ahead: RefreshAhead::Off,
            negative: Duration::ZERO,
            levels: Levels::All,
            max_bytes: 1 << 20,
            version: 1,
        }
    }

    /// Sets how long a result is fresh, in milliseconds.
    pub const fn ttl_ms(mut self, ms: u64) -> Self {
        self.ttl = Some(Duration::from_millis(ms));
        self
    }

    /// Sets who shares a result.
    pub const fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Sets for how long after the ttl the old result is served while a refresh runs, in milliseconds.
    pub const fn stale_ms(mut self, ms: u64) -> Self {
        self.stale = Duration::from_millis(ms);
        self
    }

    /// Sets how old a result may be that replaces a failure, in milliseconds since it was made.
    pub const fn stale_if_error_ms(mut self, ms: u64) -> Self {
        self.stale_if_error = Duration::from_millis(ms);
        self
    }

    /// Sets when a refresh starts early.
    pub const fn refresh_ahead(mut self, when: RefreshAhead) -> Self {
        self.refresh_ahead = when;
        self
    }

    /// Sets for how long a "not found" is kept, in milliseconds.
    pub const fn negative_ms(mut self, ms: u64) -> Self {
        self.negative = Duration::from_millis(ms);
        self
    }

    /// Sets which levels keep a result.
    pub const fn levels(mut self, levels: Levels) -> Self {
        self.levels = levels;
        self
    }

    /// Sets the largest result that is kept, in bytes.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the version of the results' meaning.
    pub const fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self::new()
    }
}
