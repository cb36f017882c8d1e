//! Values and marks in Redis.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Pipeline, RedisError};

use super::connection::Place;
use super::line::Line;
use super::news::RedisNews;
use super::scripts::Scripts;
use crate::cache::key::Key;
use crate::cache::level::{Answer, Holds, Level, LevelError, Marks, News, Origin, Read, Tier, Voided, Write};
use crate::cache::tag::TagId;

/// How many tags keep a mark of their own: about 6 MiB in Redis. Beyond, everything is invalidated.
const MOST_MARKS: usize = 65_536;
/// How many invalidations are kept for those who were away.
const MOST_NEWS: usize = 10_000;

/// The level in Redis 5 or newer, or Valkey. Nothing is connected before it is needed.
pub struct Redis {
    pub(super) line: Line,
    pub(super) names: Arc<Names>,
    pub(super) scripts: Arc<Scripts>,
}

/// What a level in Redis is made of.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Which application it is: several may share a Redis.
    pub application: String,
}

/// The names of the keys.
pub(super) struct Names {
    pub(super) marks: String,
    pub(super) news: String,
    values: String,
    leases: String,
}

impl Redis {
    /// Makes the level of a URL such as `redis://user:password@host:6379/0`, or `redis+cluster://host,host`; with
    /// the feature `redis-tls` also of `rediss://host`, which is encrypted.
    ///
    /// # Errors
    ///
    /// Where the URL is none, or asks for TLS that is not built in.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub fn open(url: &str, options: &RedisOptions) -> Result<Self, LevelError> {
        let line = Line::new(Place::read(url)?).map_err(|error| failed(&error))?;
        let name = |what: &str| format!("mcp:{{{}}}:{what}", options.application);
        let names =
            Names { marks: name("marks"), news: name("news"), values: name("v:"), leases: name("l:") };
        Ok(Self { line, names: Arc::new(names), scripts: Arc::new(Scripts::new()) })
    }

    /// Makes the mark for everything, which nothing is stored without.
    async fn begin(&self) -> Result<u64, LevelError> {
        let asked = self.scripts.begin.key(&self.names.marks);
        self.line.ask(async |connection| asked.invoke_async(connection).await).await
    }
}

impl Names {
    fn value(&self, key: &Key) -> Vec<u8> {
        [self.values.as_bytes(), key.as_bytes()].concat()
    }

    fn lease(&self, key: &Key) -> Vec<u8> {
        [self.leases.as_bytes(), key.as_bytes()].concat()
    }
}

/// A time to live, which must not be 0.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Why a command failed, without what it was about.
pub(super) fn failed(error: &RedisError) -> LevelError {
    LevelError::new(error)
}

impl Level for Redis {
    fn tier(&self) -> Tier {
        Tier::Shared
    }

    fn read<'a>(&'a self, key: &'a Key, tags: &'a [TagId]) -> Answer<'a, Read> {
        Box::pin(async move {
            let value = self.names.value(key);
            let command = |name: &str, arguments: usize| {
                let mut command =
                    Cmd::with_capacity(1 + arguments, 16 + self.names.marks.len() + 32 * arguments);
                command.arg(name);
                command
            };
            let mut marks = command("HMGET", 2 + tags.len());
            marks.arg(&self.names.marks).arg("all");
            for tag in tags {
                marks.arg(tag.as_bytes());
            }
            let (mut left, mut get) = (command("PTTL", 1), command("GET", 1));
            left.arg(&value);
            get.arg(&value);
            let mut asked = Pipeline::with_capacity(3);
            // The marks first, and what is left of its life before the value: whatever is changed in between,
            // the marks are not too new and the value not too young.
            asked.add_command(marks).add_command(left).add_command(get);
            let (marks, left, value): (Vec<Option<u64>>, i64, Option<Vec<u8>>) =
                self.line.ask(async |connection| asked.query_async(connection).await).await?;
            let mut marks: Box<[u64]> = marks.into_iter().map(Option::unwrap_or_default).collect();
            if let Some(all) = marks.first_mut().filter(|all| **all == 0) {
                *all = self.begin().await?;
            }
            let left = u64::try_from(left).ok().map(Duration::from_millis);
            Ok(Read { value: value.zip(left), marks: Marks(marks) })
        })
    }

    fn write<'a>(&'a self, write: Write<'a>) -> Answer<'a, bool> {
        Box::pin(async move {
            let mut asked = self.scripts.write.key(&self.names.marks);
            asked.key(self.names.value(write.key)).arg(write.value);
            asked.arg(millis(write.life));
            asked.arg(write.marks.0.len()).arg("all");
            for tag in write.tags {
                asked.arg(tag.as_bytes());
            }
            for mark in &write.marks.0 {
                asked.arg(*mark);
            }
            self.line.ask(async |connection| asked.invoke_async(connection).await).await
        })
    }

    fn invalidate<'a>(&'a self, voided: &'a Voided, origin: Origin) -> Answer<'a, ()> {
        Box::pin(async move {
            let tags = match voided {
                Voided::Tags(tags) if tags.is_empty() => return Ok(()),
                Voided::Tags(tags) => tags.iter().flat_map(|tag| *tag.as_bytes()).collect(),
                Voided::All => Vec::new(),
            };
            let mut asked = self.scripts.invalidate.key(&self.names.marks);
            asked.key(&self.names.news).arg(origin.0).arg(MOST_MARKS).arg(MOST_NEWS).arg(tags);
            self.line.ask(async |connection| asked.invoke_async(connection).await).await
        })
    }

    fn discard<'a>(&'a self, key: &'a Key, value: &'a [u8]) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut asked = self.scripts.discard.key(self.names.value(key));
            asked.arg(value);
            self.line.ask(async |connection| asked.invoke_async(connection).await).await
        })
    }

    fn lease<'a>(&'a self, key: &'a Key, holder: u64, time: Duration) -> Answer<'a, bool> {
        Box::pin(async move {
            let mut asked = redis::cmd("SET");
            asked.arg(self.names.lease(key)).arg(holder).arg("NX").arg("PX").arg(millis(time));
            let set: Option<String> =
                self.line.ask(async |connection| asked.query_async(connection).await).await?;
            Ok(set.is_some())
        })
    }

    fn release<'a>(&'a self, key: &'a Key, holder: u64) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut asked = self.scripts.discard.key(self.names.lease(key));
            asked.arg(holder);
            self.line.ask(async |connection| asked.invoke_async(connection).await).await
        })
    }

    fn news(&self) -> Box<dyn News> {
        Box::new(RedisNews::new(
            self.line.place().clone(),
            Arc::clone(&self.names),
            Arc::clone(&self.scripts),
        ))
    }

    fn holds(&self) -> Answer<'_, Holds> {
        // Redis counts all keys together, and a search for ours is out of the question.
        Box::pin(std::future::ready(Ok(Holds::default())))
    }
}
