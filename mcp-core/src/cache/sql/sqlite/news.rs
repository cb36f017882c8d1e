//! The invalidations that others left in a file.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Row};
use tokio::time::{Instant, sleep};

use super::connections::{Open, Sqlite};
use super::{file, schema};
use crate::cache::level::{Answer, Event, LevelError, News, SILENCE};
use crate::cache::sql::chain::{COUNTER, EVERYTHING, Entry, MOST_NEWS, Position, sorted};
use crate::cache::sql::gate::explain;

/// How often the file is asked whether it changed.
const POLL: Duration = Duration::from_millis(100);

/// Follows the log of a file on a connection of its own.
pub(super) struct Listener {
    sqlite: Sqlite,
    position: Position,
    way: Option<Way>,
}

struct Way {
    open: Open,
    connection: SqliteConnection,
    /// Changes with every change by others, of whatever.
    version: Option<i64>,
}

impl Listener {
    pub(super) fn new(sqlite: Sqlite) -> Self {
        Self { sqlite, position: Position::default(), way: None }
    }

    async fn poll(&mut self) -> Result<Vec<Event>, LevelError> {
        let mut way = match self.way.take() {
            Some(way) if file::identity(self.sqlite.path()) == Some(way.open.which()) => way,
            _ => self.start().await?,
        };
        match self.ask(&mut way).await {
            Ok(events) => {
                self.way = Some(way);
                Ok(events)
            }
            Err(error) => Err(self.sqlite.failed(&way.open, &error).await),
        }
    }

    async fn start(&self) -> Result<Way, LevelError> {
        const BEGUN: &str = "SELECT count(*) FROM mcp_cache_marks WHERE application = ?1 AND tag = ?2";
        let open = self.sqlite.open().await?;
        let options = schema::connect(self.sqlite.path(), self.sqlite.options().max_bytes);
        let mut connection = options.connect().await.map_err(|error| explain(&error))?;
        let begun = sqlx::query_scalar::<_, i64>(BEGUN)
            .bind(&self.sqlite.options().application)
            .bind(&EVERYTHING[..])
            .fetch_one(&mut connection)
            .await;
        match begun {
            Ok(0) => {
                // The first mark would otherwise be news as soon as somebody reads.
                self.sqlite.begin().await?;
                Ok(Way { open, connection, version: None })
            }
            Ok(_) => Ok(Way { open, connection, version: None }),
            Err(error) => Err(self.sqlite.failed(&open, &error).await),
        }
    }

    async fn ask(&mut self, way: &mut Way) -> Result<Vec<Event>, sqlx::Error> {
        const NEWS: &str = "
            SELECT NULL, mark, 0, NULL FROM mcp_cache_marks WHERE application = ?1 AND tag = ?2
            UNION ALL SELECT * FROM (
                SELECT previous, mark, origin, tags FROM mcp_cache_invalidations
                WHERE application = ?1 AND mark > ?3 ORDER BY mark LIMIT ?4)";
        let version: i64 = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut way.connection).await?;
        if way.version == Some(version) {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(NEWS)
            .bind(&self.sqlite.options().application)
            .bind(&COUNTER[..])
            .bind(self.position.after())
            .bind(MOST_NEWS)
            .fetch_all(&mut way.connection)
            .await?;
        let (last, entries) = sorted(rows.iter().map(entry))?;
        // Where more is left than was read, the next call goes on, whether or not the file changes.
        way.version = (entries.len() < MOST_NEWS as usize).then_some(version);
        Ok(self.position.follow(last, entries))
    }
}

/// Returns an entry of the log, or the last mark that was given.
fn entry(row: &SqliteRow) -> Result<Result<Entry, i64>, sqlx::Error> {
    let mark = row.try_get(1)?;
    Ok(match row.try_get(0)? {
        Some(previous) => Ok(Entry { mark, previous, origin: row.try_get(2)?, tags: row.try_get(3)? }),
        None => Err(mark),
    })
}

impl News for Listener {
    fn next(&mut self) -> Answer<'_, Vec<Event>> {
        Box::pin(async move {
            let end = Instant::now() + SILENCE;
            loop {
                let events = tokio::time::timeout_at(end, self.poll()).await.unwrap_or_else(|_| {
                    self.way = None;
                    Err(LevelError::new("the file gave no news and no silence in time"))
                })?;
                if !events.is_empty() || Instant::now() + POLL + POLL > end {
                    return Ok(events);
                }
                sleep(POLL).await;
            }
        })
    }
}
