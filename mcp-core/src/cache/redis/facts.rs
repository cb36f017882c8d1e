//! What a Redis says of itself, for who checks a configuration.

use std::time::Duration;

use redis::RedisError;

use super::level::Redis;
use crate::cache::level::LevelError;

/// What a Redis says of itself; `None` is what it does not tell, such as to a user that may not ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisFacts {
    /// What it is, with its version.
    pub version: Option<String>,
    /// How many bytes it may hold; 0: any number.
    pub max_memory: Option<u64>,
    /// What it does when these are full.
    pub policy: Option<String>,
    /// Its clock, as the time since 1970.
    pub now: Option<Duration>,
}

impl Redis {
    /// Asks what it is, what it may hold, and what time it is; a cluster, of which each node has its own, tells less.
    pub async fn facts(&self) -> RedisFacts {
        let info = self.line.ask(async |connection| redis::cmd("INFO").query_async(connection).await).await;
        let facts = info.map_or_else(|_| RedisFacts::default(), |text: String| read(&text));
        let time = async |connection: &mut _| -> Result<(u64, u32), RedisError> {
            redis::cmd("TIME").query_async(connection).await
        };
        let now = self.line.ask(time).await.ok();
        RedisFacts {
            now: now.map(|(seconds, micros)| Duration::new(seconds, micros.saturating_mul(1_000))),
            ..facts
        }
    }

    /// Begins for a while, for who uses it once; `None` where it has begun.
    ///
    /// Nothing is stored before there is a mark for everything, and that has no end of its own. Where it goes, what
    /// others stored meanwhile is asked for once more.
    ///
    /// # Errors
    ///
    /// Where Redis does not answer.
    pub async fn begin_for(&self, life: Duration) -> Result<Option<u64>, LevelError> {
        let mut asked = self.scripts.begin_for.key(&self.names.marks);
        asked.arg(u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1));
        let mark: u64 = self.line.ask(async |connection| asked.invoke_async(connection).await).await?;
        Ok((mark > 0).then_some(mark))
    }

    /// Removes what [`begin_for`](Self::begin_for) made, or keeps it for good where others have added to it.
    ///
    /// # Errors
    ///
    /// Where Redis does not answer: then it ends by itself.
    pub async fn unbegin(&self, mark: u64) -> Result<(), LevelError> {
        let mut asked = self.scripts.unbegin.key(&self.names.marks);
        asked.arg(mark);
        self.line.ask(async |connection| asked.invoke_async(connection).await).await
    }
}

/// Reads the answer to `INFO`.
fn read(info: &str) -> RedisFacts {
    let field = |name: &str| {
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned())
    };
    // Valkey tells a version of Redis too, for clients that look for one.
    let valkey = field("valkey_version").map(|version| format!("Valkey {version}"));
    RedisFacts {
        version: valkey.or_else(|| field("redis_version").map(|version| format!("Redis {version}"))),
        max_memory: field("maxmemory").and_then(|bytes| bytes.parse().ok()),
        policy: field("maxmemory_policy"),
        now: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_and_nothing_else() {
        let info = "# Server\r\nredis_version:7.2.4\r\nmaxmemory:0\r\nmaxmemory_human:0B\r\nmaxmemory_policy:noeviction\r\n";
        let facts = read(info);
        assert_eq!(facts.version.as_deref(), Some("Redis 7.2.4"));
        assert_eq!((facts.max_memory, facts.policy.as_deref()), (Some(0), Some("noeviction")));
        let valkey = read("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.3\r\n");
        assert_eq!(valkey.version.as_deref(), Some("Valkey 8.1.3"));
        assert_eq!(read("nothing of this"), RedisFacts::default());
    }
}
