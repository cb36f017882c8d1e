//! The bearer tokens of the configuration.

use std::sync::Arc;

use mcp_core::Identity;
use mcp_core::component::BoxFuture;
use mcp_core::identity::digest;

use super::authenticator::{Authenticator, ProtectedResource, Unauthorized};
use super::headers::Headers;

/// The bearer tokens of the configuration.
///
/// Kept as digests: comparing those takes the same time whatever the tokens have in common.
pub(super) struct Tokens {
    known: Vec<([u8; 32], Identity)>,
    /// Who decides about a token that is none of these.
    others: Option<Arc<dyn Authenticator>>,
}

impl Tokens {
    pub(super) fn new(tokens: &[(String, String)], others: Option<Arc<dyn Authenticator>>) -> Self {
        let known = tokens.iter().map(|(name, token)| {
            (digest([token.as_str()].into_iter()), Identity::new("MCP_AUTH_TOKENS", name))
        });
        Self { known: known.collect(), others }
    }
}

impl Authenticator for Tokens {
    fn authenticate<'a>(&'a self, headers: &'a Headers) -> BoxFuture<'a, Result<Identity, Unauthorized>> {
        Box::pin(async move {
            let digest = digest([headers.bearer()?].into_iter());
            match (self.known.iter().find(|(known, _)| *known == digest), &self.others) {
                (Some((_, identity)), _) => Ok(identity.clone()),
                (None, Some(others)) => others.authenticate(headers).await,
                (None, None) => Err(Unauthorized::new("unknown token")),
            }
        })
    }

    fn protected_resource(&self) -> Option<ProtectedResource> {
        self.others.as_ref()?.protected_resource()
    }
}
