//! What a refused client is told, and where it learns how to get a token (RFC 6750 §3, RFC 9728).

use std::time::Duration;

use http::Uri;
use serde_json::{Value, json};

use super::authenticator::{ProtectedResource, Unauthorized};

/// Where the document of a protected resource is (RFC 9728 §3).
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// After which time a client may come again: the `Retry-After` of a 503.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Returns the `WWW-Authenticate` of an answer 401.
pub(crate) fn unauthorized(metadata_url: Option<&str>, refused: &Unauthorized) -> String {
    // RFC 6750 §3.1: a client that sent nothing is told no error.
    let invalid = refused.is_invalid();
    bearer([
        ("resource_metadata", metadata_url.map(ToOwned::to_owned)),
        ("error", invalid.then(|| "invalid_token".to_owned())),
        ("error_description", invalid.then(|| plain(refused.reason()))),
    ])
}

/// Returns the `WWW-Authenticate` of an answer 403 for want of scopes.
pub(crate) fn insufficient_scope(metadata_url: Option<&str>, scopes: &[&str]) -> String {
    bearer([
        ("error", Some("insufficient_scope".to_owned())),
        ("scope", Some(plain(&scopes.join(" ")))),
        ("resource_metadata", metadata_url.map(ToOwned::to_owned)),
    ])
}

/// Returns the document of a protected resource (RFC 9728 §2).
pub(crate) fn metadata(resource: &ProtectedResource, scopes: &[&str], name: &str) -> Value {
    let mut document = json!({
        "resource": resource.resource,
        "authorization_servers": resource.authorization_servers,
        "bearer_methods_supported": ["header"],
        "resource_name": name,
    });
    // RFC 9728 §3.2: an empty list is left out.
    if !scopes.is_empty() {
        document["scopes_supported"] = json!(scopes);
    }
    document
}

/// Returns the URL of the document, if the resource is a URL (RFC 9728 §3.1).
pub(crate) fn metadata_url(audience: &str) -> Option<String> {
    let url: Uri = audience.parse().ok().filter(|_| !audience.contains('#'))?;
    let scheme = url.scheme_str().filter(|scheme| ["http", "https"].contains(scheme))?;
    let path = if url.path() == "/" { "" } else { url.path() };
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{scheme}://{}{WELL_KNOWN}{path}{query}", url.authority()?))
}

fn bearer<const N: usize>(parameters: [(&str, Option<String>); N]) -> String {
    let given =
        parameters.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", quoted(&value?))));
    format!("Bearer {}", given.collect::<Vec<_>>().join(", ")).trim_end().to_owned()
}

/// Writes a quoted string (RFC 9110 §5.6.4).
///
/// What is not printable ASCII would make it no header.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ => quoted.push('?'),
        }
    }
    quoted + "\""
}

/// Replaces what the values of RFC 6750 §3 may not have, not even escaped.
fn plain(text: &str) -> String {
    text.replace('"', "'").replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://me.example/.well-known/oauth-protected-resource/mcp";

    #[test]
    fn challenges_name_the_metadata_and_the_mistake() {
        let missing = Unauthorized::missing("send a token");
        let expired = Unauthorized::new("the token has expired");
        for (challenge, expected) in [
            (unauthorized(None, &missing), "Bearer".to_owned()),
            (unauthorized(Some(URL), &missing), format!("Bearer resource_metadata=\"{URL}\"")),
            (
                unauthorized(Some(URL), &expired),
                format!(
                    "Bearer resource_metadata=\"{URL}\", error=\"invalid_token\", \
                     error_description=\"the token has expired\""
                ),
            ),
            (
                insufficient_scope(Some(URL), &["read", "write"]),
                format!(
                    "Bearer error=\"insufficient_scope\", scope=\"read write\", resource_metadata=\"{URL}\""
                ),
            ),
            (
                insufficient_scope(None, &["read"]),
                "Bearer error=\"insufficient_scope\", scope=\"read\"".to_owned(),
            ),
        ] {
            assert_eq!(challenge, expected);
        }
    }

    #[test]
    fn no_text_breaks_out_of_its_quotes() {
        let refused = Unauthorized::new("a \"b\\c\" d\r\nSet-Cookie: ü");
        assert_eq!(
            unauthorized(Some("https://me.example/\"\\"), &refused),
            "Bearer resource_metadata=\"https://me.example/\\\"\\\\\", error=\"invalid_token\", \
             error_description=\"a 'b/c' d??Set-Cookie: ?\""
        );
        http::HeaderValue::from_str(&unauthorized(None, &refused)).unwrap();
    }

    #[test]
    fn the_document_stands_between_host_and_path() {
        for (audience, expected) in [
            ("https://h/mcp", Some("https://h/.well-known/oauth-protected-resource/mcp")),
            ("https://h:8443", Some("https://h:8443/.well-known/oauth-protected-resource")),
            ("https://h/", Some("https://h/.well-known/oauth-protected-resource")),
            ("https://h/a?b=c", Some("https://h/.well-known/oauth-protected-resource/a?b=c")),
            ("http://localhost:1/mcp", Some("http://localhost:1/.well-known/oauth-protected-resource/mcp")),
            ("https://h/mcp#part", None),
            ("api://h/mcp", None),
            ("h/mcp", None),
            ("my-client", None),
        ] {
            assert_eq!(metadata_url(audience).as_deref(), expected, "{audience}");
        }
    }

    #[test]
    fn the_document_leaves_out_what_there_is_none_of() {
        let resource = ProtectedResource::new("https://me.example/mcp", "https://login.example");
        let mut expected = json!({
            "resource": "https://me.example/mcp",
            "authorization_servers": ["https://login.example"],
            "bearer_methods_supported": ["header"],
            "resource_name": "me",
        });
        assert_eq!(metadata(&resource, &[], "me"), expected);
        expected["scopes_supported"] = json!(["read", "write"]);
        assert_eq!(metadata(&resource, &["read", "write"], "me"), expected);
    }
}
