//! How the keys of an issuer are fetched.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use mcp_core::ToolError;
use serde::Deserialize;

use super::keys::{self, Key};

/// How long a fetch may take, discovery included.
const DEADLINE: Duration = Duration::from_secs(5);

/// How large a document may be; those of large issuers have some 10 KiB.
const MAX_DOCUMENT: usize = 1 << 20;

/// Where the keys of an issuer are.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// At a known URL.
    Url(Uri),
    /// Where the metadata of the issuer says.
    Issuer(String),
}

impl Source {
    /// Fetches the keys.
    pub(super) async fn fetch(&self) -> Result<Vec<Key>, String> {
        let keys = async {
            let url = match self {
                Self::Url(url) => url.clone(),
                Self::Issuer(issuer) => discover(issuer).await?,
            };
            let document = get(&url).await?;
            keys::read(&document).map_err(|error| format!("{url}: {error}"))
        };
        tokio::time::timeout(DEADLINE, keys)
            .await
            .unwrap_or_else(|_| Err(format!("no answer in {DEADLINE:?}")))
    }
}

/// Returns where the metadata of an issuer says that its keys are.
async fn discover(issuer: &str) -> Result<Uri, String> {
    #[derive(Deserialize)]
    struct Metadata {
        issuer: String,
        jwks_uri: String,
    }

    let mut mistakes = Vec::new();
    for url in metadata_urls(issuer)? {
        let found = get(&url).await.and_then(|document| {
            let metadata: Metadata = serde_json::from_slice(&document)
                .map_err(|error| format!("{url} has no metadata: {error}"))?;
            // RFC 8414 §3.3: who answers for another issuer may be an attacker.
            if metadata.issuer != issuer {
                return Err(format!("{url} is about another issuer, `{}`", metadata.issuer));
            }
            address(&metadata.jwks_uri)
        });
        match found {
            Ok(keys) => return Ok(keys),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    Err(mistakes.join("; "))
}

/// Returns where the metadata of an issuer may be.
///
/// The order is that of the MCP specification.
/// RFC 8414 §3.1 puts the well-known part before the path of the issuer, OpenID Connect Discovery §4 behind it.
fn metadata_urls(issuer: &str) -> Result<Vec<Uri>, String> {
    let base = issuer.trim_end_matches('/');
    let url = address(base)?;
    let path = url.path().trim_end_matches('/');
    let host = base.strip_suffix(path).unwrap_or(base);
    let mut urls = vec![format!("{host}/.well-known/oauth-authorization-server{path}")];
    if !path.is_empty() {
        urls.push(format!("{host}/.well-known/openid-configuration{path}"));
    }
    urls.push(format!("{base}/.well-known/openid-configuration"));
    urls.iter().map(|url| address(url)).collect()
}

/// Reads a URL that may be fetched: encrypted, or of this machine.
pub(super) fn address(url: &str) -> Result<Uri, String> {
    let read: Uri = url.parse().map_err(|_| "this is no URL: write `https://..`".to_owned())?;
    let authority = read.authority().map_or("", |authority| authority.as_str());
    // Nothing repeats what may be a password.
    if authority.contains('@') {
        return Err("the URL has a user in it: write it without".to_owned());
    }
    let host = read.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match read.scheme_str() {
        Some("https") => Ok(read),
        Some("http") if is_loopback => Ok(read),
        Some("http") => {
            Err(format!("`{url}` is not encrypted: write `https://..`; `http` is for this machine alone"))
        }
        _ => Err(format!("`{url}` is no URL of the web: write `https://..`")),
    }
}

/// Gets a document; an answer elsewhere (a redirection) is none.
async fn get(url: &Uri) -> Result<Bytes, String> {
    let document = if url.scheme_str() == Some("https") {
        // Read anew for each fetch: there is one in ten minutes, and certificates of the system change.
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider())
            .map_err(causes)?;
        request(tls.https_only().enable_http1().build(), url).await
    } else {
        request(HttpConnector::new(), url).await
    };
    document.map_err(|error| format!("{url}: {error}"))
}

async fn request<C: Connect + Clone + Send + Sync + 'static>(
    connector: C,
    url: &Uri,
) -> Result<Bytes, String> {
    let request = Request::get(url)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("mcp-server/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(causes)?;
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
    let response = client.request(request).await.map_err(causes)?;
    if response.status() != StatusCode::OK {
        return Err(format!("answered {}", response.status()));
    }
    let body = Limited::new(response.into_body(), MAX_DOCUMENT);
    let body = body.collect().await.map_err(|error| error.to_string())?;
    Ok(body.to_bytes())
}

/// Writes an error with its causes: the first is no more than `client error`.
fn causes(error: impl std::error::Error + Send + Sync + 'static) -> String {
    ToolError::from(error).message()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_where_the_specification_says() {
        for (issuer, expected) in [
            (
                "https://login.example",
                vec![
                    "https://login.example/.well-known/oauth-authorization-server",
                    "https://login.example/.well-known/openid-configuration",
                ],
            ),
            (
                "https://login.example/tenant/",
                vec![
                    "https://login.example/.well-known/oauth-authorization-server/tenant",
                    "https://login.example/.well-known/openid-configuration/tenant",
                    "https://login.example/tenant/.well-known/openid-configuration",
                ],
            ),
        ] {
            let urls: Vec<_> = metadata_urls(issuer).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(urls, expected);
        }
        assert_eq!(
            metadata_urls("https://login.example/").unwrap(),
            metadata_urls("https://login.example").unwrap()
        );
    }

    #[test]
    fn only_encrypted_addresses_and_those_of_this_machine_are_fetched() {
        for url in
            ["https://login.example/keys", "http://localhost:8080", "http://127.0.0.2/k", "http://[::1]:1/"]
        {
            assert!(address(url).is_ok(), "{url}");
        }
        for url in [
            "http://login.example/keys",
            "http://localhost.example",
            "http://192.168.0.1",
            "http://[::2]",
            "https://user:secret@login.example",
            "http://localhost@login.example",
            "file:///keys",
            "ftp://localhost/keys",
            "login.example/keys",
            "//login.example",
            "https://",
            "",
        ] {
            let mistake = address(url).unwrap_err();
            assert!(!mistake.contains("secret"), "{mistake}");
        }
    }
}
