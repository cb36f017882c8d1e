//! The stream of invalidations, on a connection of its own: a blocking read would hold up all others.

use std::sync::Arc;

use redis::streams::{StreamId, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands as _, FromRedisValue, RedisError};

use super::connection::{Connection, Place};
use super::level::{Names, failed};
use super::scripts::Scripts;
use crate::cache::level::{Answer, Event, News, Origin, SILENCE, Voided};

/// How many invalidations are read at once: more than the stream keeps. Whoever was away has heard everything
/// with the first answer, and trusts nothing again before.
const CHUNK: usize = 20_000;

/// Follows the stream by its numbers: each names the one before it, so that nothing is missed unnoticed.
pub(super) struct RedisNews {
    place: Place,
    names: Arc<Names>,
    scripts: Arc<Scripts>,
    connection: Option<Connection>,
    /// Up to where it was read: the id in the stream, and the number of that invalidation.
    position: Option<(String, u64)>,
}

impl RedisNews {
    pub(super) fn new(place: Place, names: Arc<Names>, scripts: Arc<Scripts>) -> Self {
        Self { place, names, scripts, connection: None, position: None }
    }

    async fn read(&mut self) -> Result<Vec<Event>, RedisError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.place.connect_alone().await?,
        };
        let Some((mut id, mut number)) = self.position.take() else {
            self.position = Some(self.end(&mut connection).await?);
            self.connection = Some(connection);
            return Ok(vec![Event::Gap]);
        };
        // Kept where this fails: the next one goes on from there.
        self.position = Some((id.clone(), number));
        let block = usize::try_from(SILENCE.as_millis()).unwrap_or(usize::MAX);
        let options = StreamReadOptions::default().count(CHUNK).block(block);
        let read: Option<StreamReadReply> =
            connection.xread_options(&[&self.names.news], &[&id], &options).await?;
        let read = read.into_iter().flat_map(|read| read.keys).flat_map(|stream| stream.ids);
        let mut events = Vec::new();
        for entry in read {
            match Entry::read(&entry) {
                Some(news) if news.before == number => {
                    (id, number) = (entry.id, news.number);
                    events.push(Event::Voided(news.origin, news.voided));
                }
                news => {
                    // Everything that was read before is dropped: what comes next is where to go on.
                    let is_older = news.is_some_and(|news| news.before > 0 && news.before < number);
                    events.push(if is_older { Event::Lost } else { Event::Gap });
                    (id, number) = self.end(&mut connection).await?;
                    break;
                }
            }
        }
        if events.is_empty() {
            // Nothing has come: then nothing may have happened either, or the stream is not what it was.
            let last: Option<u64> = connection.hget(&self.names.marks, "n").await?;
            let last = last.unwrap_or_default();
            if last != number && !self.follows(&mut connection, &id).await? {
                // An empty Redis holds nothing that could be wrong.
                events.push(if last > 0 && last < number { Event::Lost } else { Event::Gap });
                (id, number) = self.end(&mut connection).await?;
            }
        }
        self.position = Some((id, number));
        self.connection = Some(connection);
        Ok(events)
    }

    /// Returns the end of the stream, and the number of the last invalidation, which there is from now on.
    async fn end(&self, connection: &mut Connection) -> Result<(String, u64), RedisError> {
        let _: u64 = self.scripts.begin.key(&self.names.marks).invoke_async(connection).await?;
        let mut both = redis::pipe();
        both.atomic().cmd("XREVRANGE").arg(&self.names.news).arg("+").arg("-").arg("COUNT").arg(1);
        both.cmd("HGET").arg(&self.names.marks).arg("n");
        let (last, number): (redis::streams::StreamRangeReply, Option<u64>) =
            both.query_async(connection).await?;
        let id = last.ids.into_iter().next().map_or_else(|| "0-0".to_owned(), |entry| entry.id);
        Ok((id, number.unwrap_or_default()))
    }

    /// Returns whether there is anything behind a position.
    async fn follows(&self, connection: &mut Connection, id: &str) -> Result<bool, RedisError> {
        let mut range = redis::cmd("XRANGE");
        range.arg(&self.names.news).arg(format!("({id}")).arg("+").arg("COUNT").arg(1);
        let next: redis::streams::StreamRangeReply = range.query_async(connection).await?;
        Ok(!next.ids.is_empty())
    }
}

impl News for RedisNews {
    fn next(&mut self) -> Answer<'_, Vec<Event>> {
        Box::pin(async move { self.read().await.map_err(|error| failed(&error)) })
    }
}

/// One invalidation of the stream.
struct Entry {
    number: u64,
    before: u64,
    origin: Origin,
    voided: Voided,
}

impl Entry {
    fn read(entry: &StreamId) -> Option<Self> {
        fn field<T: FromRedisValue>(entry: &StreamId, name: &str) -> Option<T> {
            T::from_redis_value(entry.map.get(name)?.clone()).ok()
        }
        let tags: Vec<u8> = field(entry, "tags")?;
        let voided = if tags.is_empty() { Voided::All } else { Voided::read(&tags)? };
        Some(Self {
            number: field(entry, "n")?,
            before: field(entry, "before")?,
            origin: Origin(field(entry, "origin")?),
            voided,
        })
    }
}
