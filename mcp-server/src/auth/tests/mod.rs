//! Access tokens, held against an authorization server of the tests' own.

mod issuer;
mod material;

mod keys;
mod lanes;
mod tokens;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use mcp_core::Identity;
use mcp_core::clock::{Clock, FakeClock};
use serde_json::{Value, json};

use self::issuer::Issuer;
use super::{Authenticator, Headers, Jwt, Unauthorized};

const AUDIENCE: &str = "https://me.example/mcp";

/// When the tests begin, in seconds since 1970.
const NOW: u64 = 1_800_000_000;

/// Accepts the tokens of an issuer whose keys are at `/keys`.
fn accepting(issuer: &Issuer) -> (Jwt, FakeClock) {
    let jwt = Jwt::new(&issuer.url, AUDIENCE).unwrap().jwks_url(&format!("{}/keys", issuer.url)).unwrap();
    let (clock, hand) = Clock::fake();
    (jwt.timed(clock, NOW), hand)
}

/// Returns the claims of a good token, with others in their place; `null` is none.
fn claims(issuer: &Issuer, others: Value) -> Value {
    let mut claims = json!({
        "iss": issuer.url,
        "aud": AUDIENCE,
        "sub": "alice",
        "exp": NOW + 10 * 24 * 3600,
        "iat": NOW,
        "scope": "read",
    });
    let all = claims.as_object_mut().unwrap();
    all.extend(others.as_object().unwrap().clone());
    all.retain(|_, value| !value.is_null());
    claims
}

async fn ask(authenticator: &impl Authenticator, token: &str) -> Result<Identity, Unauthorized> {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    authenticator.authenticate(&Headers::of(&headers)).await
}

/// Returns why a token is refused.
async fn refusal(authenticator: &impl Authenticator, token: &str) -> String {
    match ask(authenticator, token).await {
        Ok(_) => "none: it is accepted".to_owned(),
        Err(refused) if refused.is_unavailable() => "unavailable".to_owned(),
        Err(refused) => refused.reason().to_owned(),
    }
}
