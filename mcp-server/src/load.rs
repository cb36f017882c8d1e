//! What a server has in hand.

use std::sync::atomic::Ordering;

use crate::server::Server;

/// What a server has in hand at a moment: see [`Server::load`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// HTTP connections that are open, those that wait for a request included.
    pub connections: usize,
    /// Calls that are being answered, those that wait for their turn included.
    pub calls: usize,
    /// Functions that run for callers to share, also where all of these have left.
    pub flights: usize,
    /// Sessions over HTTP of the revisions that have them; idle ones end after five minutes.
    pub sessions: usize,
}

impl Server {
    /// Returns what the server has in hand now: nothing where it has not started.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = mcp_server::Server::builder();
    /// assert_eq!(server.load().await, mcp_server::Load::default());
    /// # }
    /// ```
    pub async fn load(&self) -> Load {
        let Some(core) = self.started() else { return Load::default() };
        #[cfg(feature = "http")]
        let (connections, sessions) = (core.connections.load(Ordering::Relaxed), core.sessions.count().await);
        #[cfg(not(feature = "http"))]
        let (connections, sessions) = (0, 0);
        let calls = core.dispatch.answering.load(Ordering::Acquire);
        Load { connections, calls, flights: core.dispatch.cache.flights(), sessions }
    }
}
