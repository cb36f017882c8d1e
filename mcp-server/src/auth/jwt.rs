//! Access tokens that an authorization server has signed (RFC 9068), checked.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation, decode, decode_header};
use mcp_core::Identity;
use mcp_core::clock::Clock;
use mcp_core::component::BoxFuture;
use mcp_core::identity::digest;
use moka::sync::Cache;
use serde_json::{Map, Value};

use super::authenticator::{Authenticator, ProtectedResource, Unauthorized};
use super::fetch::{Source, address};
use super::headers::Headers;
use super::jwks::Jwks;
use crate::error::Error;

/// How many verified tokens are remembered.
///
/// To verify one takes from 30 µs (RS256) to 80 µs (ES256).
const REMEMBERED: u64 = 4096;

/// Accepts the access tokens of an OAuth authorization server.
///
/// A token is accepted when a key of the issuer signed it (`RS256` and its kin, `PS256`, `ES256`, `ES384`,
/// `EdDSA`), it has an `exp` that is not over, a `sub` or a `client_id`, `iss` is the issuer, and `aud` has the
/// audience; `nbf` is kept to. The scopes of `scope` and `scp` become those of the [`Identity`].
///
/// The keys are fetched at the first token, every ten minutes, and when a token names a key that is not
/// known. While they cannot be fetched, the last ones are good for a day.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use mcp_server::{Jwt, Server};
///
/// let jwt = Jwt::new("https://login.example", "https://me.example/mcp")?
///     .jwks_url("https://login.example/keys.json")?
///     .tenant_claim("tid")
///     .leeway(Duration::from_secs(10));
/// let server = Server::linked().authenticator(jwt);
/// # drop(server);
/// # Ok::<(), mcp_server::Error>(())
/// ```
pub struct Jwt {
    issuer: String,
    audience: String,
    tenant_claim: Option<String>,
    leeway: u64,
    pub(super) keys: Arc<Jwks>,
    verified: Cache<[u8; 32], Verified>,
    /// The seconds since 1970; where that is not known, all tokens are over.
    ///
    /// A monotonic clock, which stands still while a machine sleeps, would let them live on.
    now: Arc<dyn Fn() -> u64 + Send + Sync>,
}

/// A token whose signature and claims were good.
#[derive(Clone)]
struct Verified {
    identity: Identity,
    expires: u64,
    /// Of the keys that it was verified with.
    generation: u64,
}

impl Jwt {
    /// Accepts the tokens that `issuer` signed for `audience`.
    ///
    /// `issuer` is a URL, as in `iss`; its metadata (RFC 8414, OpenID Connect Discovery) says where its keys
    /// are. `audience` is what tokens for this server have as `aud`: its URL most of the time.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] where the issuer is no `https` URL, nor an `http` one of this machine, or the audience
    /// is empty.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Result<Self, Error> {
        let (issuer, audience) = (issuer.into(), audience.into());
        address(&issuer).map_err(|mistake| Error::start(format!("`auth_issuer`: {mistake}")))?;
        // RFC 8414 §2; they would end up in the middle of the URL of the metadata.
        if issuer.contains(['?', '#']) {
            return Err(Error::start(
                "`auth_issuer`: an issuer has no query and no fragment: write it without",
            ));
        }
        if audience.is_empty() {
            return Err(Error::start(
                "`auth_audience`: this is empty: write what tokens for this server have as `aud`",
            ));
        }
        // Where other features of jsonwebtoken in the same program leave its backend open, it would panic at
        // the first token. A backend that the program has chosen stays.
        let _ = aws_lc::DEFAULT_PROVIDER.install_default();
        Ok(Self {
            keys: Arc::new(Jwks::new(Source::Issuer(issuer.clone()), Clock::default())),
            issuer,
            audience,
            tenant_claim: None,
            leeway: 60,
            verified: Cache::new(REMEMBERED),
            now: Arc::new(|| {
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs())
            }),
        })
    }

    /// Sets where the keys are, in place of where the metadata says.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] where this is no `https` URL, nor an `http` one of this machine.
    pub fn jwks_url(mut self, url: &str) -> Result<Self, Error> {
        let url = address(url).map_err(|mistake| Error::start(format!("`auth_jwks_url`: {mistake}")))?;
        self.keys = Arc::new(Jwks::new(Source::Url(url), Clock::default()));
        Ok(self)
    }

    /// Sets the claim of the caller's tenant, such as `tid`; none by default.
    #[must_use]
    pub fn tenant_claim(mut self, claim: impl Into<String>) -> Self {
        self.tenant_claim = Some(claim.into());
        self
    }

    /// Sets by how many seconds clocks may differ; 60 by default.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.as_secs();
        self
    }

    /// Goes by a clock that began at a time, in seconds since 1970.
    #[cfg(test)]
    pub(super) fn timed(mut self, clock: Clock, began: u64) -> Self {
        self.keys = Arc::new(self.keys.timed(clock.clone()));
        self.now = Arc::new(move || began + clock.now().as_secs());
        self
    }

    async fn identify(&self, token: &str) -> Result<Identity, Unauthorized> {
        let digest = digest([token].into_iter());
        if let Some(known) = self.verified.get(&digest)
            && known.generation == self.keys.current().await?.generation
        {
            self.not_over(known.expires)?;
            return Ok(known.identity);
        }
        // `none` is no algorithm here, and no key goes with HMAC.
        let header = decode_header(token).map_err(|_| Unauthorized::new("this is no signed token (JWT)"))?;
        // RFC 7515 §4.1.11: who does not understand what is critical refuses it.
        if header.crit.is_some() {
            return Err(Unauthorized::new("the token has critical extensions"));
        }
        let keys = self.keys.with(header.kid.as_deref()).await?;
        let key = keys
            .find(header.kid.as_deref(), header.alg)
            .ok_or_else(|| Unauthorized::new("no key of the issuer fits the token"))?;
        let claims = decode(token, &key.decoding, &self.validation(&header))
            .map_err(|error| Unauthorized::new(words(error.kind())))?
            .claims;
        let (identity, expires) = self.accept(&claims)?;
        let verified = Verified { identity: identity.clone(), expires, generation: keys.generation };
        self.verified.insert(digest, verified);
        Ok(identity)
    }

    /// Returns what jsonwebtoken checks.
    ///
    /// The times are ours to check: a token that is remembered ends too.
    fn validation(&self, header: &Header) -> Validation {
        let mut validation = Validation::new(header.alg);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.validate_exp = false;
        validation
    }

    /// Returns whose token it is and when it ends, if it is good now.
    fn accept(&self, claims: &Map<String, Value>) -> Result<(Identity, u64), Unauthorized> {
        // A list of issuers would do for jsonwebtoken.
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Unauthorized::new(words(&ErrorKind::InvalidIssuer)));
        }
        let expires =
            claims.get("exp").and_then(seconds).ok_or_else(|| Unauthorized::new("the token has no `exp`"))?;
        self.not_over(expires)?;
        if let Some(begins) = claims.get("nbf") {
            let begins =
                seconds(begins).ok_or_else(|| Unauthorized::new("the `nbf` of the token is no time"))?;
            if begins > (self.now)().saturating_add(self.leeway) {
                return Err(Unauthorized::new("the token is not valid yet"));
            }
        }
        let subject = claims.get("sub").or_else(|| claims.get("client_id")).and_then(Value::as_str);
        let subject = subject.filter(|subject| !subject.is_empty());
        let subject = subject.ok_or_else(|| Unauthorized::new("the token has no `sub`"))?;
        let scopes = ["scope", "scp"].into_iter().filter_map(|claim| claims.get(claim)).flat_map(words_of);
        let mut identity = Identity::new(&self.issuer, subject).with_scopes(scopes);
        let tenant = self.tenant_claim.as_ref().and_then(|claim| claims.get(claim)?.as_str());
        if let Some(tenant) = tenant.filter(|tenant| !tenant.is_empty()) {
            identity = identity.with_tenant(tenant);
        }
        Ok((identity, expires))
    }

    fn not_over(&self, expires: u64) -> Result<(), Unauthorized> {
        let is_over = (self.now)() >= expires.saturating_add(self.leeway);
        if is_over { Err(Unauthorized::new("the token has expired")) } else { Ok(()) }
    }
}

impl Authenticator for Jwt {
    fn authenticate<'a>(&'a self, headers: &'a Headers) -> BoxFuture<'a, Result<Identity, Unauthorized>> {
        Box::pin(async move { self.identify(headers.bearer()?).await })
    }

    fn protected_resource(&self) -> Option<ProtectedResource> {
        Some(ProtectedResource::new(&self.audience, &self.issuer))
    }
}

/// Reads a time, which may have a fraction (RFC 7519 §2).
fn seconds(time: &Value) -> Option<u64> {
    time.as_u64().or_else(|| time.as_f64().map(|seconds| seconds as u64))
}

/// Returns the scopes of a claim: a list, or words in a text.
fn words_of(claim: &Value) -> Vec<String> {
    let texts = claim.as_array().map_or(std::slice::from_ref(claim), Vec::as_slice).iter();
    texts.filter_map(Value::as_str).flat_map(str::split_whitespace).map(ToOwned::to_owned).collect()
}

/// Says what is wrong with a token, repeating nothing of it.
fn words(mistake: &ErrorKind) -> &'static str {
    match mistake {
        ErrorKind::InvalidSignature => "the signature of the token is wrong",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::MissingRequiredClaim(claim) if claim == "exp" => "the token has no `exp`",
        ErrorKind::MissingRequiredClaim(claim) if claim == "iss" => "the token has no `iss`",
        ErrorKind::MissingRequiredClaim(_) => "the token has no `aud`",
        _ => "the token cannot be read",
    }
}
