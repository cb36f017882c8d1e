//! Who may call from where: the hosts that a request is addressed to, and the pages that it comes from.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Response};
use mcp_core::Config;

use super::body::ResponseBody;

/// Pages of this machine, at any port.
const LOOPBACK_ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

/// The hosts of this machine.
const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The headers of an answer that a page reads: the session's id, and how to get a token.
const EXPOSED: &str = "mcp-session-id, www-authenticate";

/// What a server is reached by.
pub(super) struct Origins {
    hosts: Vec<String>,
    /// Each in the form of [`spelled_out`].
    pages: Vec<String>,
}

impl Origins {
    pub(super) fn new(config: &Config) -> Self {
        let hosts = if config.allowed_hosts.is_empty() {
            LOOPBACK_HOSTS.map(ToOwned::to_owned).to_vec()
        } else {
            config.allowed_hosts.iter().map(|host| host.trim().to_ascii_lowercase()).collect()
        };
        // A page of this machine may call; one from elsewhere only where it is named.
        let named = config.allowed_origins.iter().map(|origin| spelled_out(origin));
        Self { hosts, pages: LOOPBACK_ORIGINS.into_iter().map(ToOwned::to_owned).chain(named).collect() }
    }

    /// Returns the origins that may call.
    pub(super) fn pages(&self) -> &[String] {
        &self.pages
    }

    /// Returns whether a request is addressed to this server, by a page that may call or by none;
    /// where that is in doubt, rmcp decides, which words the refusal too.
    pub(super) fn are_trusted(&self, host: Option<&str>, origin: Option<&str>) -> bool {
        let Some(host) = host else { return false };
        let may_call = |origin: &str| {
            let spelled = spelled_out(origin);
            self.pages.iter().any(|allowed| is_origin(&spelled, allowed))
        };
        is_among(host, &self.hosts) && origin.is_none_or(may_call)
    }

    /// Lets a page read the answer whose origin may call (the Fetch standard's CORS protocol).
    pub(super) fn share(&self, request: &HeaderMap, response: &mut Response<ResponseBody>) {
        let Some(origin) = request.get(ORIGIN) else { return };
        let spelled = origin.to_str().map(spelled_out).unwrap_or_default();
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_static("origin"));
        if self.pages.iter().any(|allowed| is_origin(&spelled, allowed)) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
            // Which headers a call has depends on the tool (`Mcp-Param-*`): those that are asked for.
            if let Some(wanted) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
            }
        }
    }
}

/// Returns whether a host is of this machine, or among those that are named.
pub(crate) fn is_addressed_to(host: &str, named: &[String]) -> bool {
    is_among(host, &LOOPBACK_HOSTS) || is_among(host, named)
}

/// Returns whether a host, with its port or without, is among others.
fn is_among(host: &str, others: &[impl AsRef<str>]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    others
        .iter()
        .map(AsRef::as_ref)
        .any(|other| other.eq_ignore_ascii_case(name) || other.eq_ignore_ascii_case(host))
}

/// Returns whether an origin is an allowed one, whose port may be `*`; both in the form of [`spelled_out`].
fn is_origin(origin: &str, allowed: &str) -> bool {
    match allowed.strip_suffix(":*") {
        Some(host) => origin.rsplit_once(':').is_some_and(|(own, port)| own == host && is_port(port)),
        None => origin == allowed,
    }
}

/// Returns whether a text is a port, or none where one may stand (RFC 3986, section 3.2.3).
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Writes an origin in one way: in lower case, with its port.
fn spelled_out(origin: &str) -> String {
    let origin = origin.trim().trim_end_matches('/').to_ascii_lowercase();
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    match origin.as_str() {
        secure if secure.starts_with("https://") && !has_port => format!("{secure}:443"),
        plain if plain.starts_with("http://") && !has_port => format!("{plain}:80"),
        _ => origin,
    }
}
