//! What Postgres does as a level.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::connections::Postgres;
use super::{change, news, schema, tend};
use crate::cache::key::Key;
use crate::cache::level::PoolFigures;
use crate::cache::level::{Answer, Holds, Level, LevelError, Marks, News, Origin, Read, Tier, Voided, Write};
use crate::cache::sql::chain::{EVERYTHING, expected, named};
use crate::cache::sql::database::Engine;
use crate::cache::sql::gate::explain;
use crate::cache::sql::standing::Standing;
use crate::cache::tag::TagId;

impl Level for Postgres {
    fn tier(&self) -> Tier {
        Tier::Database
    }

    fn read<'a>(&'a self, key: &'a Key, tags: &'a [TagId]) -> Answer<'a, Read> {
        Box::pin(async move {
            let read = self.look_up(key, tags).await?;
            if read.marks.0.first() != Some(&0) {
                return Ok(read);
            }
            self.void(None, Origin(0), true).await?;
            self.look_up(key, tags).await
        })
    }

    fn write<'a>(&'a self, write: Write<'a>) -> Answer<'a, bool> {
        Box::pin(async move {
            let Some(marks) = expected(write.marks, write.tags) else { return Ok(false) };
            loop {
                let mut connection = self.connection().await?;
                match change::store(&mut connection, self.application(), &write, &marks).await {
                    Ok(stored) => {
                        connection.give_back();
                        if let Some(stored) = stored {
                            return Ok(stored);
                        }
                    }
                    Err(error) => return Err(self.failed(&error)),
                }
            }
        })
    }

    fn invalidate<'a>(&'a self, voided: &'a Voided, origin: Origin) -> Answer<'a, ()> {
        Box::pin(async move {
            let tags = named(voided);
            if tags.as_ref().is_some_and(Vec::is_empty) {
                return Ok(());
            }
            self.void(tags.as_deref(), origin, false).await
        })
    }

    fn discard<'a>(&'a self, key: &'a Key, value: &'a [u8]) -> Answer<'a, ()> {
        const DISCARD: &str =
            "DELETE FROM mcp_cache_values WHERE application = $1 AND key = $2 AND value = $3";
        Box::pin(async move {
            let mut connection = self.connection().await?;
            let query = sqlx::query(DISCARD).bind(self.application()).bind(&key.as_bytes()[..]).bind(value);
            match query.execute(&mut *connection).await {
                Ok(_) => {
                    connection.give_back();
                    Ok(())
                }
                Err(error) => Err(self.failed(&error)),
            }
        })
    }

    fn news(&self) -> Box<dyn News> {
        Box::new(news::Listener::new(self.clone()))
    }

    fn tend(&self) -> Answer<'_, ()> {
        Box::pin(async { tend::sweep(self).await.map(drop) })
    }

    fn holds(&self) -> Answer<'_, Holds> {
        const HOLDS: &str = "
            SELECT count(*), coalesce(sum(bytes), 0)::bigint FROM mcp_cache_values
            WHERE application = $1 AND expires > (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        Box::pin(async move {
            let mut connection = self.connection().await?;
            let query = sqlx::query_as::<_, (i64, i64)>(HOLDS).bind(self.application());
            match query.fetch_one(&mut *connection).await {
                Ok((entries, bytes)) => {
                    connection.give_back();
                    Ok(Holds { entries: u64::try_from(entries).ok(), bytes: u64::try_from(bytes).ok() })
                }
                Err(error) => Err(self.failed(&error)),
            }
        })
    }

    fn pool(&self) -> Option<PoolFigures> {
        Some(self.figures())
    }
}

impl Engine for Postgres {
    fn optimize(&self) -> Answer<'_, Vec<String>> {
        Box::pin(tend::optimize(self))
    }

    fn standing(&self) -> Answer<'_, Standing> {
        Box::pin(async {
            let pool = self.own_connection();
            let looked = async { schema::standing(&mut *pool.acquire().await?).await };
            let standing = looked.await.map_err(|error| explain(&error));
            pool.close().await;
            standing?.ok_or_else(|| {
                LevelError::new(
                    "the tables are not there and may not be made: `GRANT CREATE ON SCHEMA` to the user",
                )
            })
        })
    }

    fn place(&self) -> String {
        self.address()
    }
}

impl Postgres {
    /// Gives new marks; if asked to, only where there is none for everything.
    pub(super) async fn void(
        &self,
        tags: Option<&[TagId]>,
        origin: Origin,
        only_if_new: bool,
    ) -> Result<(), LevelError> {
        let mut connection = self.connection().await?;
        match change::void(&mut connection, self.application(), tags, origin, only_if_new).await {
            Ok(()) => {
                connection.give_back();
                Ok(())
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn look_up(&self, key: &Key, tags: &[TagId]) -> Result<Read, LevelError> {
        // One statement, and so one state of the tables.
        const READ: &str = "
            SELECT asked.i, coalesce(now.mark, 0), NULL::bytea
            FROM unnest($3::bytea[]) WITH ORDINALITY AS asked (tag, i)
            LEFT JOIN mcp_cache_marks AS now ON now.application = $1 AND now.tag = asked.tag
            UNION ALL SELECT 0, expires - clock.now, value FROM mcp_cache_values,
                (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now) AS clock
            WHERE application = $1 AND key = $2 AND expires > clock.now";
        let mut connection = self.connection().await?;
        let rows = sqlx::query(READ)
            .bind(self.application())
            .bind(&key.as_bytes()[..])
            .bind(change::digests(&[EVERYTHING], tags))
            .fetch_all(&mut *connection)
            .await;
        match rows.and_then(|rows| as_read(&rows, tags.len())) {
            Ok(read) => {
                connection.give_back();
                Ok(read)
            }
            Err(error) => Err(self.failed(&error)),
        }
    }
}

fn as_read(rows: &[PgRow], tags: usize) -> Result<Read, sqlx::Error> {
    let mut read = Read { value: None, marks: Marks(vec![0; tags + 1].into()) };
    for row in rows {
        // Arrays count from one: zero is the value.
        let (which, number): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        match usize::try_from(which - 1) {
            Ok(which) => {
                if let Some(mark) = read.marks.0.get_mut(which) {
                    *mark = number.cast_unsigned();
                }
            }
            Err(_) => {
                read.value = Some((row.try_get(2)?, Duration::from_millis(number.unsigned_abs())));
            }
        }
    }
    Ok(read)
}
