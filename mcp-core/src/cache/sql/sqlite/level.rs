//! What a SQLite file does as a level.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::change::Change;
use super::connections::Sqlite;
use super::{file, news, tend};
use crate::cache::key::Key;
use crate::cache::level::PoolFigures;
use crate::cache::level::{Answer, Holds, Level, LevelError, Marks, News, Origin, Read, Tier, Voided, Write};
use crate::cache::sql::chain::{EVERYTHING, expected, joined, named, whole};
use crate::cache::sql::database::Engine;
use crate::cache::sql::standing::Standing;
use crate::cache::tag::TagId;

impl Level for Sqlite {
    fn tier(&self) -> Tier {
        Tier::Database
    }

    fn read<'a>(&'a self, key: &'a Key, tags: &'a [TagId]) -> Answer<'a, Read> {
        Box::pin(async move {
            let read = self.look_up(key, tags).await?;
            if read.marks.0.first() != Some(&0) {
                return Ok(read);
            }
            self.begin().await?;
            self.look_up(key, tags).await
        })
    }

    fn write<'a>(&'a self, write: Write<'a>) -> Answer<'a, bool> {
        Box::pin(async move {
            let Some(marks) = expected(write.marks, write.tags) else { return Ok(false) };
            if write.value.len() as u64 > self.options().max_bytes / LARGEST_PART {
                // Kept for no time at all: making room for it would cost everything else.
                return Ok(true);
            }
            let expires = now_ms().saturating_add(whole(write.life.as_millis()));
            let Write { key, tags, value, .. } = write;
            self.change(Change::Store { key, tags, marks: &marks, value, expires }).await
        })
    }

    fn invalidate<'a>(&'a self, voided: &'a Voided, origin: Origin) -> Answer<'a, ()> {
        Box::pin(async move {
            let tags = named(voided);
            if tags.as_ref().is_some_and(Vec::is_empty) {
                return Ok(());
            }
            self.change(Change::Void { tags: tags.as_deref(), origin }).await.map(drop)
        })
    }

    fn discard<'a>(&'a self, key: &'a Key, value: &'a [u8]) -> Answer<'a, ()> {
        Box::pin(async move { self.change(Change::Discard { key, value }).await.map(drop) })
    }

    fn news(&self) -> Box<dyn News> {
        Box::new(news::Listener::new(self.clone()))
    }

    fn tend(&self) -> Answer<'_, ()> {
        Box::pin(tend::tend(self))
    }

    fn holds(&self) -> Answer<'_, Holds> {
        const HOLDS: &str = "
            SELECT count(*), coalesce(sum(bytes), 0) FROM mcp_cache_values
            WHERE application = ?1 AND expires > ?2";
        Box::pin(async move {
            let open = self.open().await?;
            let mut reader = self.reader(&open).await?;
            let held = sqlx::query_as::<_, (i64, i64)>(HOLDS)
                .bind(&self.options().application)
                .bind(now_ms())
                .fetch_one(&mut *reader)
                .await;
            match held {
                Ok((entries, bytes)) => {
                    reader.give_back();
                    Ok(Holds { entries: u64::try_from(entries).ok(), bytes: u64::try_from(bytes).ok() })
                }
                Err(error) => Err(self.failed(&open, &error).await),
            }
        })
    }

    fn pool(&self) -> Option<PoolFigures> {
        Some(self.figures())
    }
}

impl Engine for Sqlite {
    fn optimize(&self) -> Answer<'_, Vec<String>> {
        Box::pin(tend::optimize(self))
    }

    fn standing(&self) -> Answer<'_, Standing> {
        Box::pin(file::standing(self.path()))
    }

    fn place(&self) -> String {
        self.path().display().to_string()
    }
}

impl Sqlite {
    /// Sees to it that there is a mark for everything: lost marks are never taken for old ones.
    pub(super) async fn begin(&self) -> Result<(), LevelError> {
        self.change(Change::Begin).await.map(drop)
    }

    async fn look_up(&self, key: &Key, tags: &[TagId]) -> Result<Read, LevelError> {
        // One statement, and so one state of the file.
        const READ: &str = "
            WITH RECURSIVE asked(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM asked WHERE i < ?4)
            SELECT i, coalesce((SELECT mark FROM mcp_cache_marks
                WHERE application = ?1 AND tag = substr(?5, i * 16 + 1, 16)), 0), NULL FROM asked
            UNION ALL SELECT -1, expires, value FROM mcp_cache_values
                WHERE application = ?1 AND key = ?2 AND expires > ?3";
        let now = now_ms();
        let open = self.open().await?;
        let mut reader = self.reader(&open).await?;
        let rows = sqlx::query(READ)
            .bind(&self.options().application)
            .bind(&key.as_bytes()[..])
            .bind(now)
            .bind(tags.len() as i64)
            .bind(joined(&[EVERYTHING], tags))
            .fetch_all(&mut *reader)
            .await;
        match rows.and_then(|rows| as_read(&rows, tags.len(), now)) {
            Ok(read) => {
                reader.give_back();
                Ok(read)
            }
            Err(error) => Err(self.failed(&open, &error).await),
        }
    }

    /// Changes something, and tries again after it has made room where the file is full.
    async fn change(&self, change: Change<'_>) -> Result<bool, LevelError> {
        const FULL: i32 = 13;
        let application = &self.options().application;
        let open = self.open().await?;
        let mut writer = self.writer(&open).await?;
        let mut changed = change.apply(&mut writer, application).await;
        let full = |error: &sqlx::Error| {
            error.as_database_error().and_then(file::code).is_some_and(|(code, _)| code == FULL)
        };
        // The limit of the file holds for invalidations too, which must not fail for want of room.
        for _ in 0..MOST_EVICTIONS {
            if !changed.as_ref().is_err_and(full) || tend::make_room(&mut writer).await.is_err() {
                break;
            }
            changed = change.apply(&mut writer, application).await;
        }
        match changed {
            Ok(changed) => {
                writer.give_back();
                Ok(changed)
            }
            Err(error) => Err(self.failed(&open, &error).await),
        }
    }
}

/// Which part of the file one value may take.
const LARGEST_PART: u64 = 8;
/// How often room is made for one change; a value may be larger than all that goes at once.
const MOST_EVICTIONS: usize = 8;

fn as_read(rows: &[SqliteRow], tags: usize, now: i64) -> Result<Read, sqlx::Error> {
    let mut read = Read { value: None, marks: Marks(vec![0; tags + 1].into()) };
    for row in rows {
        let (which, number): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        match usize::try_from(which) {
            Ok(which) => {
                if let Some(mark) = read.marks.0.get_mut(which) {
                    *mark = number.cast_unsigned();
                }
            }
            Err(_) => {
                let left = Duration::from_millis(number.saturating_sub(now).unsigned_abs());
                read.value = Some((row.try_get(2)?, left));
            }
        }
    }
    Ok(read)
}

/// Returns the milliseconds of this machine's clock, which is the clock of its files.
pub(super) fn now_ms() -> i64 {
    whole(since_epoch().as_millis())
}

/// Returns its microseconds, which make a mark unlike those of a file that was lost.
pub(super) fn now_us() -> i64 {
    whole(since_epoch().as_micros())
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
