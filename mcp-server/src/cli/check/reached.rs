//! What is asked of others: levels, collectors, servers that run, the history.

use std::time::Duration;

use mcp_core::Config;
use mcp_core::profile::Report;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::address::Address;
use super::facts::{Collector, DatabaseSeen, Past, RedisSeen};
use crate::cli::control::{self, Seen};

/// How long one of them may take to answer.
const LIMIT: Duration = Duration::from_secs(2);

/// How long a day and an hour are, in milliseconds.
#[cfg(feature = "redis")]
const DAY: u64 = 24 * HOUR;
#[cfg(feature = "redis")]
const HOUR: u64 = 3_600_000;

/// How many hours of the history are read: all that are kept, or days without a call would make it look young.
#[cfg(feature = "redis")]
const READ: u64 = (super::running::DAYS + 1) * 24;

/// Any of these says where a collector is.
const COLLECTORS: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
];

/// Asks the Redis of the configuration what it is, and keeps a value there for a moment.
#[cfg(feature = "redis")]
pub(super) async fn redis(config: &Config, name: &str) -> Option<Result<RedisSeen, String>> {
    let level = match crate::levels::redis_of(config, name).filter(|_| config.cache_enabled)? {
        Ok(level) => level,
        Err(error) => return Some(Err(error.to_string())),
    };
    let asked = async {
        let begun = level.begin_for(levels::LIFE).await.map_err(|error| error.to_string())?;
        let probed = levels::probe(&level).await;
        if let Some(mark) = begun {
            level.unbegin(mark).await.map_err(|error| error.to_string())?;
        }
        probed?;
        Ok(level.facts().await)
    };
    Some(within(asked).await.map(|facts| RedisSeen {
        version: facts.version,
        max_memory: facts.max_memory,
        policy: facts.policy,
        ahead_ms: facts.now.map(|now| {
            let ours = i128::from(mcp_core::profile::unix_ms());
            i64::try_from(now.as_millis().cast_signed() - ours).unwrap_or(i64::MAX)
        }),
    }))
}

#[cfg(not(feature = "redis"))]
#[expect(clippy::unused_async, reason = "has the form of the version with a Redis")]
pub(super) async fn redis(config: &Config, name: &str) -> Option<Result<RedisSeen, String>> {
    crate::levels::redis_url(config).filter(|_| config.cache_enabled)?;
    Some(Err(crate::levels::configured(config, name).err()?.to_string()))
}

/// Keeps a value in the database of the configuration for a moment, where it is one of this version.
///
/// What is not there is not made: whoever checks may be another user than the one who serves. What is of another
/// version or broken would be removed by its first use, and is not used.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) async fn database(config: &Config, name: &str) -> Option<Result<DatabaseSeen, String>> {
    use mcp_core::cache::sql::Standing;

    let level = match crate::levels::database_of(config, name).filter(|_| config.cache_enabled)? {
        Ok(level) => level,
        Err(error) => return Some(Err(error.to_string())),
    };
    let file = config.cache_database_url.as_deref().and_then(levels::sqlite_file);
    let network = file.as_deref().and_then(std::path::Path::parent).and_then(super::machine::network_of);
    if let Some(file) = file.filter(|file| !file.exists()) {
        return Some(levels::may_be_made(&file).map(|()| DatabaseSeen {
            exists: false,
            anew: None,
            network,
        }));
    }
    let asked = async {
        let standing = level.standing().await.map_err(|error| error.to_string())?;
        let (exists, anew) = match standing {
            Standing::Ready => (true, None),
            Standing::Missing => (false, None),
            Standing::Anew(why) => (true, Some(why)),
        };
        if standing == Standing::Ready {
            levels::probe(&level).await?;
        }
        Ok(DatabaseSeen { exists, anew, network })
    };
    Some(within(asked).await)
}

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
#[expect(clippy::unused_async, reason = "has the form of the version with a database")]
pub(super) async fn database(config: &Config, name: &str) -> Option<Result<DatabaseSeen, String>> {
    config.cache_database_url.as_ref().filter(|_| config.cache_enabled)?;
    Some(Err(crate::levels::configured(config, name).err()?.to_string()))
}

#[cfg(any(feature = "redis", feature = "sqlite", feature = "postgres"))]
async fn within<T>(asked: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    timeout(LIMIT, asked).await.unwrap_or_else(|_| Err(format!("no answer within {LIMIT:?}")))
}

/// Connects to the collectors that the variables name.
pub(super) async fn collectors() -> Result<Vec<Collector>, String> {
    #[cfg(feature = "otlp")]
    if !crate::otlp::is_wanted().map_err(|error| error.to_string())? {
        return Ok(Vec::new());
    }
    let named = COLLECTORS.into_iter().filter_map(|variable| {
        Some((variable, std::env::var(variable).ok().filter(|value| !value.trim().is_empty())?))
    });
    let mut asked: JoinSet<_> = named.map(|(variable, url)| collector(variable, url)).collect();
    let mut all = Vec::new();
    while let Some(Ok(collector)) = asked.join_next().await {
        all.push(collector);
    }
    all.sort_by_key(|collector| COLLECTORS.iter().position(|variable| *variable == collector.variable));
    Ok(all)
}

async fn collector(variable: &'static str, url: String) -> Collector {
    let address = Address::read(url.trim());
    let Some((host, port)) = address.as_ref().and_then(Address::first) else {
        let answer = Err("this is no URL: write `http://host:4318`".to_owned());
        return Collector { variable, place: variable.to_owned(), answer };
    };
    let answer = match timeout(LIMIT, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no connection within {LIMIT:?}")),
    };
    Collector { variable, place: format!("{host}:{port}"), answer }
}

/// Asks the servers of a name that run here what they measured; those that ended in between are left out.
pub(super) async fn running(name: &str) -> Vec<Result<Report, String>> {
    let asked = control::running(name, None).into_iter().map(|server| async move {
        let pid = server.pid;
        let question = json!({ "ask": "stats" });
        let answer = match timeout(LIMIT, server.ask(&question)).await {
            Ok(Ok(Some(answer))) => serde_json::from_value::<Seen>(answer).map_err(|error| error.to_string()),
            Ok(Ok(None)) => return None,
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {LIMIT:?}")),
        };
        Some((pid, answer.map(|seen| seen.report).map_err(|error| format!("{pid}: {error}"))))
    });
    let mut asked: JoinSet<_> = asked.collect();
    let mut all = Vec::new();
    while let Some(Ok(answer)) = asked.join_next().await {
        all.extend(answer);
    }
    all.sort_by_key(|(pid, _)| *pid);
    all.into_iter().map(|(_, answer)| answer).collect()
}

/// Reads what was called in the last days, where that is kept.
#[cfg(feature = "redis")]
pub(super) async fn history(config: &Config, name: &str) -> Option<Result<Past, String>> {
    use mcp_core::profile::unix_ms;

    let history = match crate::history::of(config, name) {
        Ok(history) => history?,
        Err(error) => return Some(Err(error.to_string())),
    };
    let now = unix_ms();
    let read = async { history.read(READ, now).await.map_err(|error| error.to_string()) };
    let past = within(read).await;
    Some(
        past.map(|past| {
            past_of(past.into_iter().map(|past| (past.hour.begins_ms(), past.kind, past.name)), now)
        }),
    )
}

/// Says how far back calls go, and what was called in the days that count.
#[cfg(feature = "redis")]
fn past_of(calls: impl Iterator<Item = (u64, String, String)>, now: u64) -> Past {
    let mut past = Past::default();
    for (begun, kind, name) in calls {
        let ago = now.saturating_sub(begun);
        past.days = past.days.max(Some(ago / DAY));
        // Of an hour that began before, a part may be within.
        if ago < super::running::DAYS * DAY + HOUR {
            past.called.insert((kind, name));
        }
    }
    past
}

#[cfg(not(feature = "redis"))]
#[expect(clippy::unused_async, reason = "has the form of the version with a history")]
pub(super) async fn history(_config: &Config, _name: &str) -> Option<Result<Past, String>> {
    None
}

/// What is done with a level.
#[cfg(any(feature = "redis", feature = "sqlite", feature = "postgres"))]
mod levels {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use mcp_core::cache::level::{Level, LevelError, Write};
    use mcp_core::cache::{KeyWriter, random_secret};

    /// How long the value would be there if it could not be removed.
    pub(super) const LIFE: Duration = Duration::from_secs(10);

    /// Writes a value under a key that nobody else has, reads it, and removes it.
    pub(super) async fn probe(level: &dyn Level) -> Result<(), String> {
        let key =
            KeyWriter::new(&random_secret(), "check", 1, 0).finish().map_err(|error| error.to_string())?;
        let told = |error: LevelError| error.to_string();
        let value = b"check".as_slice();
        // Somebody may clear everything just now, and a value from before that is refused.
        for _ in 0..2 {
            let marks = level.read(&key, &[]).await.map_err(told)?.marks;
            let write = Write { key: &key, tags: &[], marks: &marks, value, life: LIFE };
            if level.write(write).await.map_err(told)? {
                let kept = level.read(&key, &[]).await.map_err(told)?.value;
                level.discard(&key, value).await.map_err(told)?;
                return match kept {
                    Some((kept, left)) if kept == value && left > Duration::ZERO && left <= LIFE => {
                        let gone = level.read(&key, &[]).await.map_err(told)?.value.is_none();
                        if gone { Ok(()) } else { Err("a value that was removed is still there".to_owned()) }
                    }
                    Some(_) => Err("a value came back changed, or without an end of its life".to_owned()),
                    None => Err("a value that was written did not come back".to_owned()),
                };
            }
        }
        Err("it takes no value".to_owned())
    }

    /// Returns the file that a URL names.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(super) fn sqlite_file(url: &str) -> Option<PathBuf> {
        let path = url.strip_prefix("sqlite:")?;
        std::path::absolute(path.strip_prefix("//").unwrap_or(path)).ok()
    }

    /// Returns whether a file may be made, by making another beside it for a moment.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(super) fn may_be_made(file: &Path) -> Result<(), String> {
        let Some(folder) = file.parent() else { return Err("the path names no file".to_owned()) };
        let probe = folder.join(format!(".mcp-check-{}", std::process::id()));
        let made = std::fs::File::create_new(&probe).and_then(|_| std::fs::remove_file(&probe));
        made.map_err(|error| format!("nothing can be written to {}: {error}", folder.display()))
    }
}

#[cfg(all(test, feature = "redis"))]
mod tests {
    use super::*;

    #[test]
    fn the_age_goes_further_back_than_what_counts_as_called() {
        let now = 100 * DAY;
        let call = |ago: u64, name: &str| (now - ago, "tool".to_owned(), name.to_owned());
        let past = past_of([call(7 * DAY + 2 * HOUR, "old"), call(DAY, "new")].into_iter(), now);
        assert_eq!(past.days, Some(7));
        assert_eq!(past.called, [("tool".to_owned(), "new".to_owned())].into());
        let past = past_of([call(7 * DAY + HOUR / 2, "old")].into_iter(), now);
        assert_eq!((past.days, past.called.len()), (Some(7), 1), "half of that hour is within");
        assert_eq!(past_of(std::iter::empty(), now).days, None);
    }
}
