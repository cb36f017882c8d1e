//! The invalidations that others left in Postgres.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::{PgListener, PgRow};
use tokio::time::{Instant, timeout_at};

use super::connections::Postgres;
use crate::cache::level::{Answer, Event, LevelError, News, Origin, SILENCE};
use crate::cache::sql::chain::{COUNTER, EVERYTHING, Entry, MOST_NEWS, Position, sorted};

/// How long the last question takes at most, by which silence shows that the way is open.
const LAST_LOOK: Duration = Duration::from_millis(300);

/// Follows the log on a connection of its own, woken by notifications.
pub(super) struct Listener {
    postgres: Postgres,
    position: Position,
    way: Option<PgListener>,
}

impl Listener {
    pub(super) fn new(postgres: Postgres) -> Self {
        Self { postgres, position: Position::default(), way: None }
    }

    async fn listen(&mut self, end: Instant) -> Result<Vec<Event>, LevelError> {
        // Taken out and put back only if all went well: whoever gives up leaves nothing half read.
        let mut way = match self.way.take() {
            Some(way) => way,
            None => self.start().await?,
        };
        loop {
            let events = self.ask(&mut way).await.map_err(|error| self.postgres.failed(&error))?;
            if !events.is_empty() || Instant::now() + LAST_LOOK >= end {
                self.way = Some(way);
                return Ok(events);
            }
            // A notification says only that there may be something: the log says what.
            match timeout_at(end - LAST_LOOK, self.woken(&mut way)).await {
                Ok(Ok(true)) | Err(_) => {}
                Ok(Ok(false)) => return Err(LevelError::new("the connection that listens was lost")),
                Ok(Err(error)) => return Err(self.postgres.failed(&error)),
            }
        }
    }

    /// Waits for a notification of this application; returns whether the connection still stands.
    async fn woken(&self, way: &mut PgListener) -> Result<bool, sqlx::Error> {
        while let Some(notification) = way.try_recv().await? {
            if notification.payload() == self.postgres.application() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn start(&self) -> Result<PgListener, LevelError> {
        // The tables, and the first mark, which would otherwise be news as soon as somebody reads.
        const BEGUN: &str = "SELECT EXISTS (SELECT FROM mcp_cache_marks WHERE application = $1 AND tag = $2)";
        let mut connection = self.postgres.connection().await?;
        let begun = sqlx::query_scalar::<_, bool>(BEGUN)
            .bind(self.postgres.application())
            .bind(&EVERYTHING[..])
            .fetch_one(&mut *connection)
            .await
            .map_err(|error| self.postgres.failed(&error))?;
        connection.give_back();
        if !begun {
            self.postgres.void(None, Origin(0), true).await?;
        }
        let listening = async {
            let mut way = PgListener::connect_with(&self.postgres.own_connection()).await?;
            // A new connection must begin with a look at the log, which is not known to `PgListener`.
            way.eager_reconnect(false);
            way.listen("mcp_cache").await?;
            Ok(way)
        };
        listening.await.map_err(|error| self.postgres.failed(&error))
    }

    async fn ask(&mut self, way: &mut PgListener) -> Result<Vec<Event>, sqlx::Error> {
        const NEWS: &str = "
            SELECT NULL::bigint, mark, 0::bigint, NULL::bytea[] FROM mcp_cache_marks
                WHERE application = $1 AND tag = $2
            UNION ALL (SELECT previous, mark, origin, tags FROM mcp_cache_invalidations
                WHERE application = $1 AND mark > $3 ORDER BY mark LIMIT $4)";
        let rows = sqlx::query(NEWS)
            .bind(self.postgres.application().to_owned())
            .bind(COUNTER.to_vec())
            .bind(self.position.after())
            .bind(MOST_NEWS)
            .fetch_all(way)
            .await?;
        let (last, entries) = sorted(rows.iter().map(entry))?;
        Ok(self.position.follow(last, entries))
    }
}

/// Returns an entry of the log, or the last mark that was given.
fn entry(row: &PgRow) -> Result<Result<Entry, i64>, sqlx::Error> {
    let mark = row.try_get(1)?;
    let Some(previous) = row.try_get(0)? else { return Ok(Err(mark)) };
    let tags: Option<Vec<Vec<u8>>> = row.try_get(3)?;
    Ok(Ok(Entry { mark, previous, origin: row.try_get(2)?, tags: tags.map(|tags| tags.concat()) }))
}

impl News for Listener {
    fn next(&mut self) -> Answer<'_, Vec<Event>> {
        Box::pin(async move {
            let end = Instant::now() + SILENCE;
            timeout_at(end, self.listen(end))
                .await
                .unwrap_or_else(|_| Err(LevelError::new("the database gave no news and no silence in time")))
        })
    }
}
