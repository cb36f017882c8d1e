//! The sessions of revisions before 2026-07-28: whose they are, and how many there may be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue};
use rmcp::model::ProtocolVersion;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;

/// The header of a session's id.
pub(super) const SESSION: &str = "mcp-session-id";

/// How many sessions may be open; rmcp ends idle ones after five minutes.
const MAX_SESSIONS: usize = 4096;

/// The open sessions and their owners.
#[derive(Clone, Default)]
pub(crate) struct Sessions {
    open: Arc<LocalSessionManager>,
    /// The fingerprint of the identity that opened each.
    owners: Arc<Mutex<HashMap<String, [u8; 32]>>>,
}

impl Sessions {
    /// Returns rmcp's side of them.
    pub(super) fn manager(&self) -> Arc<LocalSessionManager> {
        Arc::clone(&self.open)
    }

    /// Returns the id of the session that a request belongs to.
    pub(super) fn id(headers: &HeaderMap) -> Option<String> {
        headers.get(SESSION).and_then(|id| id.to_str().ok()).map(ToOwned::to_owned)
    }

    /// Returns whether a session belongs to a caller.
    pub(super) fn belongs(&self, session: &str, fingerprint: [u8; 32]) -> bool {
        self.owners().get(session) == Some(&fingerprint)
    }

    /// Returns whether a request would open one session too many.
    pub(super) async fn is_full(&self, headers: &HeaderMap) -> bool {
        may_open(headers) && self.count().await >= MAX_SESSIONS
    }

    /// Returns how many are open.
    /// Returns how many sessions have an owner that is known.
    pub(crate) fn known(&self) -> usize {
        self.owners().len()
    }

    pub(crate) async fn count(&self) -> usize {
        self.open.sessions.read().await.len()
    }

    /// Notes whose a session is that was opened.
    pub(super) async fn opened(&self, session: &str, fingerprint: [u8; 32]) {
        // rmcp ends sessions by itself: their owners are forgotten from time to time.
        let open = self.open.sessions.read().await;
        if self.owners().len() > open.len() + MAX_SESSIONS / 4 {
            self.owners().retain(|id, _| open.contains_key(id.as_str()));
        }
        self.owners().insert(session.to_owned(), fingerprint);
    }

    /// Forgets a session that was ended.
    pub(super) fn ended(&self, session: &str) {
        self.owners().remove(session);
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<String, [u8; 32]>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether a request without a session may open one: those of the newest revision name another
/// method in a header, which rmcp holds against the body.
fn may_open(headers: &HeaderMap) -> bool {
    let version = headers.get("mcp-protocol-version").map(HeaderValue::as_bytes);
    let modern = version.is_some_and(|version| version >= ProtocolVersion::V_2026_07_28.as_str().as_bytes());
    let method = headers.get("mcp-method").map(HeaderValue::as_bytes);
    !modern || method.is_none_or(|method| method == b"initialize")
}
