//! What is changed in Postgres, so that no invalidation comes between a check and a write.
//!
//! Whoever invalidates locks the row of the counter; whoever stores shares that lock. A statement
//! sees the marks as they were when it began, which may be before it got the lock: the counter, read
//! both with and without the lock, tells whether that is so.

use sqlx::{Connection, PgConnection, Row};

use crate::cache::level::{Origin, Write};
use crate::cache::sql::chain::{COUNTER, CUT_EVERY, EVERYTHING, LONGEST_LOG, MOST_MARKS, whole};
use crate::cache::tag::TagId;

/// Stores a value if the marks are the expected ones; `None`: an invalidation came in between.
pub(super) async fn store(
    connection: &mut PgConnection,
    application: &str,
    write: &Write<'_>,
    marks: &[i64],
) -> Result<Option<bool>, sqlx::Error> {
    const STORE: &str = "
        WITH held AS MATERIALIZED (
            SELECT mark FROM mcp_cache_marks WHERE application = $1 AND tag = $2 FOR SHARE),
        seen AS (SELECT mark FROM mcp_cache_marks WHERE application = $1 AND tag = $2),
        stored AS (
            INSERT INTO mcp_cache_values (application, key, expires, bytes, value)
            SELECT $1, $3, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $4, length($5), $5
            FROM held JOIN seen USING (mark) WHERE NOT EXISTS (
                SELECT FROM unnest($6::bytea[], $7::bigint[]) AS asked (tag, mark)
                LEFT JOIN mcp_cache_marks AS now ON now.application = $1 AND now.tag = asked.tag
                WHERE coalesce(now.mark, 0) <> asked.mark)
            ON CONFLICT (application, key)
            DO UPDATE SET expires = excluded.expires, bytes = excluded.bytes, value = excluded.value
            RETURNING 1)
        SELECT EXISTS (SELECT FROM stored), (SELECT mark FROM held) IS DISTINCT FROM (SELECT mark FROM seen)";
    // Longer than anybody waits, and far from where the sum would overflow.
    const LONGEST_LIFE: i64 = i64::MAX / 4;
    let (stored, late): (bool, bool) = sqlx::query_as(STORE)
        .bind(application)
        .bind(&COUNTER[..])
        .bind(&write.key.as_bytes()[..])
        .bind(whole(write.life.as_millis()).min(LONGEST_LIFE))
        .bind(write.value)
        .bind(digests(&[EVERYTHING], write.tags))
        .bind(marks)
        .fetch_one(connection)
        .await?;
    Ok(if late { None } else { Some(stored) })
}

/// Gives new marks to tags, or to everything.
pub(super) async fn void(
    connection: &mut PgConnection,
    application: &str,
    tags: Option<&[TagId]>,
    origin: Origin,
    only_if_new: bool,
) -> Result<(), sqlx::Error> {
    // A row that is not there cannot be locked.
    const COUNT: &str = "
        INSERT INTO mcp_cache_marks (application, tag, mark) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING";
    const LAST: &str = "
        SELECT mark, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
        FROM mcp_cache_marks WHERE application = $1 AND tag = $2 FOR UPDATE";
    const EVERYTHING_IS: &str =
        "SELECT EXISTS (SELECT FROM mcp_cache_marks WHERE application = $1 AND tag = $2)";
    let mut transaction = connection.begin().await?;
    let mut last = None;
    while last.is_none() {
        let locked = sqlx::query_as::<_, (i64, i64)>(LAST).bind(application).bind(&COUNTER[..]);
        last = locked.fetch_optional(&mut *transaction).await?;
        if last.is_none() {
            sqlx::query(COUNT).bind(application).bind(&COUNTER[..]).execute(&mut *transaction).await?;
        }
    }
    let (last, clock) = last.unwrap_or_default();
    // After the lock, in a statement of its own: it sees what the last one who had it has done.
    let everything: bool = sqlx::query_scalar(EVERYTHING_IS)
        .bind(application)
        .bind(&EVERYTHING[..])
        .fetch_one(&mut *transaction)
        .await?;
    if only_if_new && everything {
        return transaction.rollback().await;
    }
    let mark = last.saturating_add(1).max(clock);
    let first: &[[u8; 16]] = if everything && tags.is_some() { &[COUNTER] } else { &[COUNTER, EVERYTHING] };
    let number = mark_and_log(&mut transaction, application, (last, mark), origin, (first, tags)).await?;
    let many = tags.is_some_and(|tags| tags.len() as i64 > CUT_EVERY);
    if number % CUT_EVERY == 0 || many || tags.is_none() {
        cut(&mut transaction, application, (number, mark), tags.is_none()).await?;
    }
    transaction.commit().await
}

async fn mark_and_log(
    connection: &mut PgConnection,
    application: &str,
    (previous, mark): (i64, i64),
    origin: Origin,
    (first, tags): (&[[u8; 16]], Option<&[TagId]>),
) -> Result<i64, sqlx::Error> {
    const MARK: &str = "
        WITH marked AS (
            INSERT INTO mcp_cache_marks (application, tag, mark) SELECT $1, unnest($2::bytea[]), $3
            ON CONFLICT (application, tag) DO UPDATE SET mark = excluded.mark),
        logged AS (
            INSERT INTO mcp_cache_invalidations (application, mark, previous, number, origin, tags)
            VALUES ($1, $3, $4, 1 + coalesce((SELECT number FROM mcp_cache_invalidations
                WHERE application = $1 ORDER BY mark DESC LIMIT 1), 0), $5, $6)
            RETURNING number)
        SELECT number, pg_notify('mcp_cache', $1) FROM logged";
    let row = sqlx::query(MARK)
        .bind(application)
        .bind(digests(first, tags.unwrap_or_default()))
        .bind(mark)
        .bind(previous)
        .bind(origin.0.cast_signed())
        .bind(tags.map(|tags| digests(&[], tags)))
        .fetch_one(connection)
        .await?;
    row.try_get(0)
}

/// Shortens the log, and voids everything where too many tags have a mark.
async fn cut(
    connection: &mut PgConnection,
    application: &str,
    (number, mark): (i64, i64),
    all: bool,
) -> Result<(), sqlx::Error> {
    const CUT: &str = "DELETE FROM mcp_cache_invalidations WHERE application = $1 AND number <= $2";
    const COUNT: &str = "SELECT count(*) FROM mcp_cache_marks WHERE application = $1";
    const CLEAR: &str = "DELETE FROM mcp_cache_marks WHERE application = $1 AND tag <> ALL ($2)";
    const EVERYTHING_TO: &str = "UPDATE mcp_cache_marks SET mark = $3 WHERE application = $1 AND tag = $2";
    const VOID: &str = "UPDATE mcp_cache_invalidations SET tags = NULL WHERE application = $1 AND mark = $2";
    sqlx::query(CUT).bind(application).bind(number - LONGEST_LOG).execute(&mut *connection).await?;
    let marks: i64 = sqlx::query_scalar(COUNT).bind(application).fetch_one(&mut *connection).await?;
    if all || marks > MOST_MARKS {
        // Everything has a new mark: those of single tags are needless.
        let kept = digests(&[COUNTER, EVERYTHING], &[]);
        sqlx::query(CLEAR).bind(application).bind(kept).execute(&mut *connection).await?;
        let to = sqlx::query(EVERYTHING_TO).bind(application).bind(&EVERYTHING[..]).bind(mark);
        to.execute(&mut *connection).await?;
        sqlx::query(VOID).bind(application).bind(mark).execute(connection).await?;
    }
    Ok(())
}

/// Returns the digests of tags as an array of Postgres.
pub(super) fn digests(first: &[[u8; 16]], tags: &[TagId]) -> Vec<Vec<u8>> {
    first.iter().chain(tags.iter().map(TagId::as_bytes)).map(|digest| digest.to_vec()).collect()
}
