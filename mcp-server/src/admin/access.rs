//! Who may look.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{
    ACCEPT, AUTHORIZATION, COOKIE, HOST, LOCATION, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use mcp_core::Config;
use mcp_core::identity::digest;
use tokio::sync::Semaphore;

use super::assets;
use super::form::field;
use super::guesses::Guesses;
use super::page::{html, text};
use crate::transport::http::{ResponseBody, body, is_addressed_to};

const NAME: &str = "mcp_admin";

/// How long a token that is wrong is thought about.
const PAUSE: Duration = Duration::from_secs(1);

/// How many tokens are looked at at once: with the pause, as many a second can be guessed.
const AT_ONCE: usize = 4;

/// How many cookies of the name are looked at: a browser has one, and who guesses as many as a header holds.
const MOST_COOKIES: usize = 2;

/// The largest form, in bytes.
const LARGEST: usize = 4 << 10;

/// What a request has to show.
pub(super) struct Access {
    token: Option<Token>,
    hosts: Vec<String>,
    attempts: Semaphore,
    guesses: Arc<Guesses>,
}

/// Kept as digests: comparing those takes the same time whatever the tokens have in common.
struct Token {
    digest: [u8; 32],
    /// What a browser keeps, which is not the token itself.
    cookie: String,
    cookie_digest: [u8; 32],
}

impl Access {
    pub(super) fn new(config: &Config, guesses: &Arc<Guesses>) -> Self {
        let token = config.admin_token.as_deref().map(|token| {
            let kept = digest([NAME, token].into_iter());
            let cookie: String = kept.iter().map(|byte| format!("{byte:02x}")).collect();
            let cookie_digest = one(&cookie);
            Token { digest: one(token), cookie, cookie_digest }
        });
        let hosts = config.allowed_hosts.clone();
        Self { token, hosts, attempts: Semaphore::new(AT_ONCE), guesses: Arc::clone(guesses) }
    }

    /// Refuses a request that is addressed to somebody else: a page of theirs may have sent it (DNS rebinding).
    pub(super) fn misaddressed(&self, parts: &Parts) -> Option<Response<ResponseBody>> {
        let hosts = parts.headers.get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
        // HTTP/2 has the host in `:authority` (RFC 9113, section 8.3.1).
        let hosts: Vec<_> = hosts.chain(parts.uri.authority().map(http::uri::Authority::as_str)).collect();
        if !hosts.is_empty() && hosts.iter().all(|host| is_addressed_to(host, &self.hosts)) {
            return None;
        }
        let reason = "forbidden: this host is not known here; name it in `MCP_ALLOWED_HOSTS`\n";
        Some(text(StatusCode::FORBIDDEN, reason))
    }

    /// Refuses a request without the token, where one is needed.
    pub(super) async fn authorize(&self, headers: &HeaderMap) -> Result<(), Response<ResponseBody>> {
        let Some(token) = &self.token else { return forwarded(headers).map_or(Ok(()), Err) };
        let shown = bearer(headers).map(|bearer| one(bearer) == token.digest);
        let mut shown =
            shown.into_iter().chain(cookies(headers).map(|cookie| one(cookie) == token.cookie_digest));
        match shown.next() {
            // Who shows nothing guesses nothing.
            None => Err(unauthorized(headers)),
            Some(first) if first || shown.any(|right| right) => Ok(()),
            Some(_) => {
                let later = self.guesses.wrong(Instant::now());
                if later.is_some() {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(wrong(headers, later))
            }
        }
    }

    /// Gives a browser its cookie, for the token.
    pub(super) async fn login<B>(
        &self,
        headers: &HeaderMap,
        form: B,
    ) -> Result<Response<ResponseBody>, Response<ResponseBody>>
    where
        B: http_body::Body,
        B::Error: std::fmt::Display,
    {
        let Some(token) = &self.token else { return Ok(to_the_page()) };
        let form = body::read(form, LARGEST)
            .await
            .map_err(|_| text(StatusCode::BAD_REQUEST, "the form has no field `token`\n"))?;
        let shown = field(&String::from_utf8_lossy(&form), "token").unwrap_or_default();
        if one(&shown) != token.digest {
            let later = self.guesses.wrong(Instant::now());
            let Ok(_turn) = self.attempts.try_acquire() else {
                let mut response =
                    text(StatusCode::TOO_MANY_REQUESTS, "too many attempts: try again later\n");
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                return Err(response);
            };
            tokio::time::sleep(PAUSE).await;
            return Err(wrong(headers, later));
        }
        let mut response = to_the_page();
        let cookie = format!("{NAME}={}; HttpOnly; SameSite=Strict; Path=/", token.cookie);
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
        Ok(response)
    }
}

fn one(text: &str) -> [u8; 32] {
    digest([text].into_iter())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    pairs.filter(|(name, _)| *name == NAME).map(|(_, value)| value).take(MOST_COOKIES)
}

fn to_the_page() -> Response<ResponseBody> {
    let mut response = text(StatusCode::SEE_OTHER, "see /dashboard\n");
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("/dashboard"));
    response
}

/// Refuses what a proxy on this machine brings: to it everybody is on loopback.
fn forwarded(headers: &HeaderMap) -> Option<Response<ResponseBody>> {
    const BROUGHT: [&str; 5] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

    let is_brought = BROUGHT.iter().any(|name| headers.contains_key(*name));
    let reason = "forbidden: through a proxy this is shown to who has the token; set `MCP_ADMIN_TOKEN`\n";
    is_brought.then(|| text(StatusCode::FORBIDDEN, reason))
}

/// Refuses a wrong token; `later` is how long to wait where there were too many.
fn wrong(headers: &HeaderMap, later: Option<Duration>) -> Response<ResponseBody> {
    let Some(later) = later else { return unauthorized(headers) };
    let reason = "too many wrong tokens: try again later, or send the token of `MCP_ADMIN_TOKEN`\n";
    let mut response = asking(headers, StatusCode::TOO_MANY_REQUESTS, reason);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(later.as_secs().max(1)));
    response
}

/// Asks for the token: people by a form, programs by a header.
fn unauthorized(headers: &HeaderMap) -> Response<ResponseBody> {
    let reason = "unauthorized: send the token of `MCP_ADMIN_TOKEN` as `Authorization: Bearer ..`\n";
    asking(headers, StatusCode::UNAUTHORIZED, reason)
}

fn asking(headers: &HeaderMap, status: StatusCode, reason: &str) -> Response<ResponseBody> {
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut response = if accepts.into_iter().any(|value| value.contains("text/html")) {
        html(status, assets::LOGIN.text())
    } else {
        text(status, reason)
    };
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"dashboard\""));
    response
}
