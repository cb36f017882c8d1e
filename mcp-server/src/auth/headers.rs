//! The headers of a request, as an authentication sees them.

use super::authenticator::Unauthorized;

/// The headers of a request; names in lower case, values that are text.
#[derive(Clone, Debug, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Returns the first value of a header, by its name in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the bearer token (RFC 6750 §2.1).
    pub(crate) fn bearer(&self) -> Result<&str, Unauthorized> {
        let sent = self.get("authorization").and_then(|header| header.split_once(' '));
        let token =
            sent.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let token = token.filter(|token| !token.is_empty());
        token.ok_or_else(|| Unauthorized::missing("send `Authorization: Bearer <token>`"))
    }

    #[cfg(feature = "http")]
    pub(crate) fn of(headers: &http::HeaderMap) -> Self {
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Self(headers.iter().filter_map(text).collect())
    }
}
