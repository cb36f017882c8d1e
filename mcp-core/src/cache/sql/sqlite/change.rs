//! What is changed in a file, each in one transaction that nobody else's can come between.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};

use super::level::{now_ms, now_us};
use crate::cache::key::Key;
use crate::cache::level::Origin;
use crate::cache::sql::chain::{COUNTER, CUT_EVERY, EVERYTHING, LONGEST_LOG, MOST_MARKS, joined};
use crate::cache::tag::TagId;

/// One change, which may be tried again.
pub(super) enum Change<'a> {
    /// Stores a value if the marks are the expected ones.
    Store { key: &'a Key, tags: &'a [TagId], marks: &'a [i64], value: &'a [u8], expires: i64 },
    /// Removes a value if it is this one.
    Discard { key: &'a Key, value: &'a [u8] },
    /// Gives new marks to tags, or to everything.
    Void { tags: Option<&'a [TagId]>, origin: Origin },
    /// Gives everything a mark if it has none.
    Begin,
}

impl Change<'_> {
    /// Changes it; returns whether anything changed.
    pub(super) async fn apply(
        &self,
        writer: &mut SqliteConnection,
        application: &str,
    ) -> Result<bool, sqlx::Error> {
        match *self {
            // One statement takes the lock before it reads, as BEGIN IMMEDIATE does.
            Self::Store { key, tags, marks, value, expires } => {
                let expected: String = marks.iter().map(|mark| format!("{mark:016x}")).collect();
                let stored = sqlx::query(STORE)
                    .bind(application)
                    .bind(&key.as_bytes()[..])
                    .bind(expires)
                    .bind(value.len() as i64)
                    .bind(value)
                    .bind(tags.len() as i64)
                    .bind(joined(&[EVERYTHING], tags))
                    .bind(expected)
                    .execute(writer)
                    .await?;
                Ok(stored.rows_affected() > 0)
            }
            Self::Discard { key, value } => {
                const DISCARD: &str =
                    "DELETE FROM mcp_cache_values WHERE application = ?1 AND key = ?2 AND value = ?3";
                let discarded = sqlx::query(DISCARD)
                    .bind(application)
                    .bind(&key.as_bytes()[..])
                    .bind(value)
                    .execute(writer)
                    .await?;
                Ok(discarded.rows_affected() > 0)
            }
            Self::Void { tags, origin } => void(writer, application, tags, origin, false).await,
            Self::Begin => void(writer, application, None, Origin(0), true).await,
        }
    }
}

// Marks are compared as text, since SQLite reads no numbers out of a blob.
const STORE: &str = "
    INSERT INTO mcp_cache_values (application, key, expires, bytes, value)
    SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (
        WITH RECURSIVE asked(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM asked WHERE i < ?6)
        SELECT 1 FROM asked WHERE substr(?8, i * 16 + 1, 16) <> printf('%016x', coalesce((
            SELECT mark FROM mcp_cache_marks
            WHERE application = ?1 AND tag = substr(?7, i * 16 + 1, 16)), 0)))
    ON CONFLICT (application, key)
    DO UPDATE SET expires = excluded.expires, bytes = excluded.bytes, value = excluded.value";

async fn void(
    writer: &mut SqliteConnection,
    application: &str,
    tags: Option<&[TagId]>,
    origin: Origin,
    only_if_new: bool,
) -> Result<bool, sqlx::Error> {
    const LAST: &str = "SELECT tag, mark FROM mcp_cache_marks WHERE application = ?1 AND tag IN (?2, ?3)";
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let (mut last, mut everything) = (0_i64, false);
    let rows = sqlx::query(LAST)
        .bind(application)
        .bind(&COUNTER[..])
        .bind(&EVERYTHING[..])
        .fetch_all(&mut *transaction)
        .await?;
    for row in rows {
        if row.try_get::<&[u8], _>(0)? == EVERYTHING {
            everything = true;
        } else {
            last = row.try_get(1)?;
        }
    }
    if only_if_new && everything {
        transaction.rollback().await?;
        return Ok(false);
    }
    let mark = last.saturating_add(1).max(now_us());
    let number = log(&mut transaction, application, (last, mark), origin, tags).await?;
    match tags {
        Some(tags) => {
            let first: &[[u8; 16]] = if everything { &[COUNTER] } else { &[COUNTER, EVERYTHING] };
            set(&mut transaction, application, joined(first, tags), mark).await?;
            if number % CUT_EVERY == 0 || tags.len() as i64 > CUT_EVERY {
                cut(&mut transaction, application, (number, mark)).await?;
            }
        }
        None => void_all(&mut transaction, application, mark).await?,
    }
    transaction.commit().await?;
    Ok(true)
}

/// Adds to the log; returns the number of the entry.
async fn log(
    writer: &mut SqliteConnection,
    application: &str,
    (previous, mark): (i64, i64),
    origin: Origin,
    tags: Option<&[TagId]>,
) -> Result<i64, sqlx::Error> {
    const LOG: &str = "
        INSERT INTO mcp_cache_invalidations (application, mark, previous, number, origin, tags, at)
        VALUES (?1, ?2, ?3, 1 + coalesce((SELECT number FROM mcp_cache_invalidations
            WHERE application = ?1 ORDER BY mark DESC LIMIT 1), 0), ?4, ?5, ?6) RETURNING number";
    sqlx::query_scalar(LOG)
        .bind(application)
        .bind(mark)
        .bind(previous)
        .bind(origin.0.cast_signed())
        .bind(tags.map(|tags| joined(&[], tags)))
        .bind(now_ms())
        .fetch_one(writer)
        .await
}

async fn set(
    writer: &mut SqliteConnection,
    application: &str,
    tags: Vec<u8>,
    mark: i64,
) -> Result<(), sqlx::Error> {
    const SET: &str = "
        WITH RECURSIVE asked(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM asked WHERE i + 1 < ?4)
        INSERT INTO mcp_cache_marks (application, tag, mark)
        SELECT ?1, substr(?2, i * 16 + 1, 16), ?3 FROM asked WHERE true
        ON CONFLICT (application, tag) DO UPDATE SET mark = excluded.mark";
    let count = (tags.len() / 16) as i64;
    sqlx::query(SET).bind(application).bind(tags).bind(mark).bind(count).execute(writer).await?;
    Ok(())
}

/// Gives everything a new mark, which makes those of single tags needless.
async fn void_all(writer: &mut SqliteConnection, application: &str, mark: i64) -> Result<(), sqlx::Error> {
    const CLEAR: &str = "DELETE FROM mcp_cache_marks WHERE application = ?1";
    sqlx::query(CLEAR).bind(application).execute(&mut *writer).await?;
    set(writer, application, joined(&[COUNTER, EVERYTHING], &[]), mark).await
}

/// Shortens the log, and voids everything where too many tags have a mark.
async fn cut(
    writer: &mut SqliteConnection,
    application: &str,
    (number, mark): (i64, i64),
) -> Result<(), sqlx::Error> {
    const CUT: &str = "DELETE FROM mcp_cache_invalidations WHERE application = ?1 AND number <= ?2";
    const COUNT: &str = "SELECT count(*) FROM mcp_cache_marks WHERE application = ?1";
    const VOID: &str = "UPDATE mcp_cache_invalidations SET tags = NULL WHERE application = ?1 AND mark = ?2";
    sqlx::query(CUT).bind(application).bind(number - LONGEST_LOG).execute(&mut *writer).await?;
    let marks: i64 = sqlx::query_scalar(COUNT).bind(application).fetch_one(&mut *writer).await?;
    if marks > MOST_MARKS {
        void_all(writer, application, mark).await?;
        sqlx::query(VOID).bind(application).bind(mark).execute(writer).await?;
    }
    Ok(())
}
