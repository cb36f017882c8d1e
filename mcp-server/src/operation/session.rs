//! Sessions: from the handshake of a client until its connection, or what stands for one, has ended.
//!
//! Revision 2026-07-28 has none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use mcp_core::profile;

use super::arrival::Network;
use super::asked::Revision;
use super::ended::Ending;
use super::operations::Operations;
use super::series::{Labels, Series};

/// What is known of the sessions of a server.
#[derive(Default)]
pub(super) struct Sessions {
    open: AtomicUsize,
    /// By network and revision.
    series: [OnceLock<Box<Series>>; Network::COUNT * Revision::COUNT],
}

impl Sessions {
    /// Returns how many are under way.
    #[cfg(feature = "http")]
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    fn series(&self, network: Network, revision: Revision) -> Option<&Series> {
        let series = self.series.get(network as usize * Revision::COUNT + revision.index())?;
        let labels =
            Labels { method: None, target: None, network, revision: revision.name(), ending: Ending::OK };
        Some(series.get_or_init(|| Box::new(Series::new(labels))))
    }

    /// Returns all series that there are.
    #[cfg(any(test, feature = "http"))]
    pub(super) fn all(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().filter_map(OnceLock::get).map(|series| &**series)
    }
}

/// A session under way: it counts when this is dropped.
#[must_use = "a session ends where this does"]
pub(crate) struct Session {
    operations: Arc<Operations>,
    since: u64,
    network: Network,
    revision: Revision,
}

impl Session {
    /// Begins a session in the revision that its handshake settled on.
    pub(crate) fn begin(operations: &Arc<Operations>, network: Network, revision: &str) -> Self {
        operations.sessions.open.fetch_add(1, Ordering::Relaxed);
        let (operations, revision) = (Arc::clone(operations), Revision::of(Some(revision)));
        Self { operations, since: profile::now(), network, revision }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let nanos = profile::now().saturating_sub(self.since);
        let operations = &self.operations;
        if operations.counted
            && let Some(series) = operations.sessions.series(self.network, self.revision)
        {
            series.record(nanos);
            #[cfg(feature = "otel")]
            operations.telemetry.record_session(nanos, series);
        }
        // Whoever waits for the last to end finds it told.
        operations.sessions.open.fetch_sub(1, Ordering::Release);
    }
}
