//! What an authentication is.

use mcp_core::Identity;
use mcp_core::component::BoxFuture;

use super::headers::Headers;

/// Finds out who sent an HTTP request.
///
/// # Examples
///
/// ```
/// use mcp_server::{Authenticator, BoxFuture, Identity, Unauthorized};
///
/// /// Trusts the name that a proxy in front has checked.
/// struct Proxy;
///
/// impl Authenticator for Proxy {
///     fn authenticate<'a>(&'a self, request: &'a mcp_server::Headers) -> BoxFuture<'a, Result<Identity, Unauthorized>> {
///         Box::pin(async move {
///             match request.get("x-authenticated-user") {
///                 Some(name) => Ok(Identity::new("proxy", name)),
///                 None => Err(Unauthorized::missing("the proxy names no user")),
///             }
///         })
///     }
/// }
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// Returns the caller, or why there is none.
    fn authenticate<'a>(&'a self, headers: &'a Headers) -> BoxFuture<'a, Result<Identity, Unauthorized>>;

    /// Returns where clients get their tokens, if they can find out (RFC 9728).
    fn protected_resource(&self) -> Option<ProtectedResource> {
        None
    }
}

/// What a client must know to get a token (RFC 9728).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProtectedResource {
    /// What tokens are issued for, their `aud`: the URL of this server.
    pub resource: String,
    /// The issuers that give out tokens.
    pub authorization_servers: Vec<String>,
}

impl ProtectedResource {
    /// Creates the description of a resource with one issuer.
    pub fn new(resource: impl Into<String>, issuer: impl Into<String>) -> Self {
        Self { resource: resource.into(), authorization_servers: vec![issuer.into()] }
    }
}

/// Why a request has no caller.
///
/// The client is answered 401, or 503 where that is not its fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unauthorized {
    reason: String,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Missing,
    Invalid,
    Unavailable,
}

impl Unauthorized {
    /// Creates the refusal of what a client sent; it reads the reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), fault: Fault::Invalid }
    }

    /// Creates the refusal of a client that sent nothing to be known by.
    pub fn missing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), fault: Fault::Missing }
    }

    /// Creates the answer where tokens cannot be checked for now.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), fault: Fault::Unavailable }
    }

    /// Returns what the client reads.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns whether the client sent something that was refused.
    pub fn is_invalid(&self) -> bool {
        self.fault == Fault::Invalid
    }

    /// Returns whether the same request may succeed later.
    pub fn is_unavailable(&self) -> bool {
        self.fault == Fault::Unavailable
    }
}
