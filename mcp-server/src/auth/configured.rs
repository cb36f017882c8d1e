//! The authentication that the configuration asks for.

use std::sync::Arc;

use mcp_core::Config;

use super::authenticator::Authenticator;
use super::tokens::Tokens;
use crate::error::Error;

/// Returns the authentication that the configuration asks for, if any.
pub(crate) fn configured(config: &Config) -> Result<Option<Arc<dyn Authenticator>>, Error> {
    let issued = issued(config)?;
    if config.auth_tokens.is_empty() {
        return Ok(issued);
    }
    Ok(Some(Arc::new(Tokens::new(&config.auth_tokens, issued))))
}

#[cfg(feature = "jwt")]
fn issued(config: &Config) -> Result<Option<Arc<dyn Authenticator>>, Error> {
    let Some(issuer) = &config.auth_issuer else {
        return match set(config).next() {
            Some(key) => Err(Error::start(format!(
                "`{key}` does nothing by itself: set `auth_issuer` (`MCP_AUTH_ISSUER`), or remove it"
            ))),
            None => Ok(None),
        };
    };
    let Some(audience) = &config.auth_audience else {
        return Err(Error::start(
            "`auth_issuer` is set and `auth_audience` is not: without it a token for another service would do; write \
             what tokens for this server have as `aud` (`MCP_AUTH_AUDIENCE`), which is its URL most of the time",
        ));
    };
    let mut jwt = super::jwt::Jwt::new(issuer, audience)?;
    if let Some(url) = &config.auth_jwks_url {
        jwt = jwt.jwks_url(url)?;
    }
    Ok(Some(Arc::new(jwt)))
}

#[cfg(not(feature = "jwt"))]
fn issued(config: &Config) -> Result<Option<Arc<dyn Authenticator>>, Error> {
    match set(config).next() {
        Some(key) => Err(Error::start(format!(
            "`{key}` needs the feature `jwt`: write `mcp-server = {{ version = \"{}\", features = [\"jwt\"] }}`",
            env!("CARGO_PKG_VERSION")
        ))),
        None => Ok(None),
    }
}

/// Returns the keys of the settings for issued tokens that are set.
fn set(config: &Config) -> impl Iterator<Item = &'static str> {
    let all = [
        ("auth_issuer", &config.auth_issuer),
        ("auth_audience", &config.auth_audience),
        ("auth_jwks_url", &config.auth_jwks_url),
    ];
    all.into_iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(issuer: Option<&str>, audience: Option<&str>, jwks_url: Option<&str>) -> String {
        let mut config = Config::default();
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        config.auth_issuer = owned(issuer);
        config.auth_audience = owned(audience);
        config.auth_jwks_url = owned(jwks_url);
        configured(&config).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[cfg(feature = "jwt")]
    #[test]
    fn half_a_configuration_does_not_start() {
        let issuer = Some("https://login.example");
        let audience = Some("https://me.example/mcp");
        assert_eq!(mistake(None, None, None), "");
        assert_eq!(mistake(issuer, audience, None), "");
        assert!(mistake(issuer, None, None).starts_with("`auth_issuer` is set and `auth_audience` is not"));
        for (audience, jwks_url) in [(audience, None), (None, Some("https://login.example/keys"))] {
            assert!(mistake(None, audience, jwks_url).contains("does nothing by itself"));
        }
        assert!(mistake(Some("http://login.example"), audience, None).starts_with("`auth_issuer`:"));
        assert!(mistake(issuer, audience, Some("login.example/keys")).starts_with("`auth_jwks_url`:"));
    }

    #[cfg(not(feature = "jwt"))]
    #[test]
    fn settings_of_a_feature_that_is_missing_name_it() {
        assert_eq!(mistake(None, None, None), "");
        for (issuer, audience, jwks_url) in [
            (Some("https://login.example"), Some("me"), None),
            (None, Some("me"), None),
            (None, None, Some("https://login.example/keys")),
        ] {
            assert!(mistake(issuer, audience, jwks_url).contains("needs the feature `jwt`"));
        }
    }
}
