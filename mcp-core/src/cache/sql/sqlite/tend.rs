//! The housekeeping of a file: what is expired goes, and it stays under its size.

use sqlx::sqlite::SqliteConnection;

use super::connections::Sqlite;
use super::level::now_ms;
use super::schema::{INDEX, PAGE};
use crate::cache::level::LevelError;

/// How many rows go in one transaction, so that writers wait for milliseconds.
const BATCH: i64 = 500;
/// How many transactions one round has; the next one goes on.
const MOST_BATCHES: usize = 200;

/// Who tends the file at the moment, as a mark of no application.
const LEASE: &str = "lease";
/// How long a process that died in the middle keeps others from it, in milliseconds.
const LEASE_MS: i64 = 60_000;

/// Removes what is expired, then what expires first while the file is too large.
pub(super) async fn tend(sqlite: &Sqlite) -> Result<(), LevelError> {
    if !lease(sqlite, true).await? {
        return Ok(());
    }
    let done = async {
        sweep(sqlite).await?;
        shrink(sqlite).await
    };
    let done = done.await;
    // Not even where it failed: the next one to try may have more luck.
    let released = lease(sqlite, false).await;
    done.and(released.map(drop))
}

async fn lease(sqlite: &Sqlite, take: bool) -> Result<bool, LevelError> {
    // One that lies too far ahead was written before the clock was set back.
    const TAKE: &str = "
        INSERT INTO mcp_cache_marks (application, tag, mark) VALUES ('', CAST(?1 AS BLOB), ?2 + ?3)
        ON CONFLICT (application, tag) DO UPDATE SET mark = excluded.mark
        WHERE mark <= ?2 OR mark > ?2 + ?3";
    const RELEASE: &str = "DELETE FROM mcp_cache_marks WHERE application = '' AND tag = CAST(?1 AS BLOB)";
    let query = if take { sqlx::query(TAKE) } else { sqlx::query(RELEASE) };
    let query = query.bind(LEASE);
    let query = if take { query.bind(now_ms()).bind(LEASE_MS) } else { query };
    let open = sqlite.open().await?;
    let mut writer = sqlite.writer(&open).await?;
    match query.execute(&mut *writer).await {
        Ok(done) => {
            writer.give_back();
            Ok(done.rows_affected() > 0)
        }
        Err(error) => Err(sqlite.failed(&open, &error).await),
    }
}

/// Removes what is expired; returns how much.
async fn sweep(sqlite: &Sqlite) -> Result<u64, LevelError> {
    let mut removed = 0;
    for _ in 0..MOST_BATCHES {
        // The writer is given back in between: a call waits for one batch, not for all.
        let batch = step(sqlite, Step::Expired).await?;
        removed += batch;
        if batch < BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(removed)
}

async fn shrink(sqlite: &Sqlite) -> Result<(), LevelError> {
    for _ in 0..MOST_BATCHES {
        if step(sqlite, Step::Oldest).await? == 0 {
            break;
        }
    }
    step(sqlite, Step::Vacuum).await.map(drop)
}

#[derive(Clone, Copy)]
enum Step {
    Expired,
    Oldest,
    Vacuum,
}

async fn step(sqlite: &Sqlite, step: Step) -> Result<u64, LevelError> {
    let open = sqlite.open().await?;
    let mut writer = sqlite.writer(&open).await?;
    let done = match step {
        Step::Expired => remove(&mut writer, now_ms()).await,
        Step::Oldest => evict(&mut writer, sqlite.options().max_bytes).await,
        Step::Vacuum => sqlx::raw_sql("PRAGMA incremental_vacuum").execute(&mut *writer).await.map(|_| 0),
    };
    match done {
        Ok(count) => {
            writer.give_back();
            Ok(count)
        }
        Err(error) => Err(sqlite.failed(&open, &error).await),
    }
}

async fn evict(writer: &mut SqliteConnection, max_bytes: u64) -> Result<u64, sqlx::Error> {
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *writer).await?;
    let free: i64 = sqlx::query_scalar("PRAGMA freelist_count").fetch_one(&mut *writer).await?;
    let used = pages.saturating_sub(free).unsigned_abs() * PAGE;
    // Room for what comes until the next round, so that few calls have to make it for themselves.
    let most = max_bytes - max_bytes / 8;
    if used > most { make_room(writer).await } else { Ok(0) }
}

/// Removes what expires first; returns how much.
pub(super) async fn make_room(writer: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    remove(writer, i64::MAX).await
}

async fn remove(writer: &mut SqliteConnection, until: i64) -> Result<u64, sqlx::Error> {
    const REMOVE: &str = "
        DELETE FROM mcp_cache_values WHERE rowid IN (
            SELECT rowid FROM mcp_cache_values WHERE expires <= ?1 ORDER BY expires LIMIT ?2)";
    Ok(sqlx::query(REMOVE).bind(until).bind(BATCH).execute(writer).await?.rows_affected())
}

/// Sees to the file while there is little to do.
pub(super) async fn optimize(sqlite: &Sqlite) -> Result<Vec<String>, LevelError> {
    const INDEXED: &str =
        "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = 'mcp_cache_values_expires'";
    let mut did = Vec::new();
    let open = sqlite.open().await?;
    let mut writer = sqlite.writer(&open).await?;
    let work = async {
        let indexed: i64 = sqlx::query_scalar(INDEXED).fetch_one(&mut *writer).await?;
        if indexed == 0 {
            sqlx::raw_sql(INDEX).execute(&mut *writer).await?;
            did.push("created the missing index `mcp_cache_values_expires`".to_owned());
        }
        sqlx::raw_sql("ANALYZE").execute(&mut *writer).await?;
        did.push("analysed the tables".to_owned());
        Ok::<_, sqlx::Error>(())
    };
    let done = work.await;
    match done {
        Ok(()) => writer.give_back(),
        Err(error) => return Err(sqlite.failed(&open, &error).await),
    }
    let expired = sweep(sqlite).await?;
    did.push(format!("removed {expired} expired values"));
    shrink(sqlite).await?;
    did.push("gave free pages back to the file system".to_owned());
    did.push("SQLite does not count how often an index is used: unused ones cannot be named".to_owned());
    Ok(did)
}
