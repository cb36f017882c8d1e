//! Who calls over HTTP.

use mcp_core::Identity;
use mcp_core::component::BoxFuture;

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
///                 None => Err(Unauthorized::new("the proxy names no user")),
///             }
///         })
///     }
/// }
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// Returns the caller, or why there is none: the client is answered 401 then.
    fn authenticate<'a>(&'a self, headers: &'a Headers) -> BoxFuture<'a, Result<Identity, Unauthorized>>;
}

/// The headers of a request; names in lower case, values that are text.
#[derive(Clone, Debug, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Returns the first value of a header, by its name in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[cfg(feature = "http")]
    pub(crate) fn of(headers: &http::HeaderMap) -> Self {
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Self(headers.iter().filter_map(text).collect())
    }
}

/// Why a request is refused with 401.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unauthorized(pub(crate) String);

impl Unauthorized {
    /// Creates a refusal; the client reads the reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// The bearer tokens of the configuration.
///
/// Kept as digests: comparing those takes the same time whatever the tokens have in common.
pub(crate) struct Tokens(Vec<([u8; 32], Identity)>);

impl Tokens {
    /// Returns `None` where no tokens are configured.
    pub(crate) fn new(tokens: &[(String, String)]) -> Option<Self> {
        let known =
            tokens.iter().map(|(name, token)| (digest(token), Identity::new("MCP_AUTH_TOKENS", name)));
        (!tokens.is_empty()).then(|| Self(known.collect()))
    }
}

impl Authenticator for Tokens {
    fn authenticate<'a>(&'a self, headers: &'a Headers) -> BoxFuture<'a, Result<Identity, Unauthorized>> {
        Box::pin(std::future::ready((|| {
            let header = headers
                .get("authorization")
                .ok_or_else(|| Unauthorized::new("send `Authorization: Bearer <token>`"))?;
            let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
            if !scheme.eq_ignore_ascii_case("bearer") {
                return Err(Unauthorized::new("send `Authorization: Bearer <token>`"));
            }
            let digest = digest(token.trim());
            let found = self.0.iter().find(|(known, _)| *known == digest);
            found.map(|(_, identity)| identity.clone()).ok_or_else(|| Unauthorized::new("unknown token"))
        })()))
    }
}

fn digest(token: &str) -> [u8; 32] {
    mcp_core::identity::digest(std::iter::once(token))
}
