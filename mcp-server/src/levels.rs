//! The levels of the cache below memory that the configuration names.

use std::sync::Arc;

use mcp_core::Config;
use mcp_core::cache::Cache;
use mcp_core::cache::level::Level;

use crate::error::Error;

/// Makes the levels; nothing is connected yet.
pub(crate) fn configured(config: &Config, name: &str) -> Result<Vec<Arc<dyn Level>>, Error> {
    if config.cache_encrypt && !cfg!(feature = "encryption") {
        return Err(Error::start(
            "`cache_encrypt` needs the feature `encryption` of `mcp-server`: add it in Cargo.toml",
        ));
    }
    if config.cache_encrypt && config.cache_secret.is_none() {
        return Err(Error::start("`cache_encrypt` needs a secret: set `MCP_CACHE_SECRET`"));
    }
    let application = application(config, name);
    let mut levels = Vec::new();
    if let Some(url) = redis_url(config) {
        levels.push(redis(url, application)?);
    }
    if let Some(url) = &config.cache_database_url {
        levels.push(database(url, application, config)?);
    }
    Ok(levels)
}

/// Returns where the level in Redis is.
pub(crate) fn redis_url(config: &Config) -> Option<&str> {
    config.cache_redis_url.as_deref().or(config.redis_url.as_deref())
}

/// Returns which application the levels are for.
fn application<'a>(config: &'a Config, name: &'a str) -> &'a str {
    config.cache_application.as_deref().unwrap_or(name)
}

/// Says what is not shared, where that may surprise.
pub(crate) fn warn(config: &Config, cache: &Cache) {
    if cache.has_levels() && config.cache_secret.is_none() && !config.cache_share_private {
        tracing::warn!(
            "only public results are shared: set `MCP_CACHE_SECRET` to the same random text for all who share private ones"
        );
    }
}

/// Makes of the configured text the secret of keys and values.
pub(crate) fn secret(config: &Config) -> Option<[u8; 32]> {
    config.cache_secret.as_ref().map(|secret| mcp_core::cache::derived_secret(secret))
}

/// Makes the level in Redis alone; nothing is connected yet.
#[cfg(all(feature = "cli", feature = "redis"))]
pub(crate) fn redis_of(config: &Config, name: &str) -> Option<Result<mcp_core::cache::redis::Redis, Error>> {
    redis_url(config).map(|url| opened_redis(url, application(config, name)))
}

/// Makes the database level alone; nothing is opened yet.
#[cfg(all(feature = "cli", any(feature = "sqlite", feature = "postgres")))]
pub(crate) fn database_of(
    config: &Config,
    name: &str,
) -> Option<Result<mcp_core::cache::sql::Database, Error>> {
    config.cache_database_url.as_ref().map(|url| opened(url, application(config, name), config))
}

#[cfg(feature = "redis")]
fn redis(url: &str, application: &str) -> Result<Arc<dyn Level>, Error> {
    opened_redis(url, application).map(|level| Arc::new(level) as Arc<dyn Level>)
}

#[cfg(feature = "redis")]
fn opened_redis(url: &str, application: &str) -> Result<mcp_core::cache::redis::Redis, Error> {
    use mcp_core::cache::redis::{Redis, RedisOptions};

    if tokio::runtime::Handle::try_current().is_err() {
        return Err(Error::start("a server with a Redis is started inside of a tokio runtime"));
    }
    let options = RedisOptions { application: application.to_owned() };
    Redis::open(url, &options).map_err(|error| Error::start(format!("`cache_redis_url`: {error}")))
}

#[cfg(not(feature = "redis"))]
fn redis(_url: &str, _application: &str) -> Result<Arc<dyn Level>, Error> {
    Err(Error::start("a Redis needs the feature `redis` of `mcp-server`: add it in Cargo.toml"))
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn database(url: &str, application: &str, config: &Config) -> Result<Arc<dyn Level>, Error> {
    opened(url, application, config).map(|level| Arc::new(level) as Arc<dyn Level>)
}

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
fn database(_url: &str, _application: &str, _config: &Config) -> Result<Arc<dyn Level>, Error> {
    Err(without_database())
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn opened(url: &str, application: &str, config: &Config) -> Result<mcp_core::cache::sql::Database, Error> {
    use mcp_core::cache::sql::{Database, DatabaseOptions};

    let options = DatabaseOptions {
        application: application.to_owned(),
        pool_size: config.db_pool_size,
        query_timeout: config.db_query_timeout,
        ..DatabaseOptions::default()
    };
    Database::open(url, options).map_err(|error| Error::start(format!("`cache_database_url`: {error}")))
}

/// Looks after the database level; returns in sentences what was done.
#[cfg(all(feature = "cli", any(feature = "sqlite", feature = "postgres")))]
pub(crate) async fn optimize(config: &Config, name: &str) -> Result<Vec<String>, Error> {
    let Some(url) = &config.cache_database_url else {
        return Err(Error::start("there is no database level: set `MCP_CACHE_DATABASE_URL`"));
    };
    let database = opened(url, application(config, name), config)?;
    database.optimize().await.map_err(|error| Error::Transport(error.to_string()))
}

#[cfg(all(feature = "cli", not(any(feature = "sqlite", feature = "postgres"))))]
#[expect(clippy::unused_async, reason = "has the form of the version with a database")]
pub(crate) async fn optimize(_config: &Config, _name: &str) -> Result<Vec<String>, Error> {
    Err(without_database())
}

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
fn without_database() -> Error {
    Error::start(
        "a database level needs the feature `sqlite` or `postgres` of `mcp-server`: add it in Cargo.toml",
    )
}
