//! The housekeeping in Postgres: what is expired goes, a few rows at a time.

use sqlx::{Connection, PgConnection, Row};

use super::connections::Postgres;
use super::schema::{INDEX, LOCK};
use crate::cache::level::LevelError;

/// How many rows go in one transaction.
const BATCH: i64 = 500;
/// How many transactions one round has; the next one goes on.
const MOST_BATCHES: usize = 200;

/// Removes what is expired, unless another process is about it; returns how much.
pub(super) async fn sweep(postgres: &Postgres) -> Result<u64, LevelError> {
    let mut removed = 0;
    for _ in 0..MOST_BATCHES {
        let mut connection = postgres.connection().await?;
        let batch = remove(&mut connection).await.map_err(|error| postgres.failed(&error))?;
        connection.give_back();
        removed += batch;
        if batch < BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(removed)
}

async fn remove(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    const REMOVE: &str = "
        DELETE FROM mcp_cache_values WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM mcp_cache_values
            WHERE expires <= (extract(epoch FROM clock_timestamp()) * 1000)::bigint
            ORDER BY expires LIMIT $1 FOR UPDATE SKIP LOCKED))";
    let mut transaction = connection.begin().await?;
    let alone: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
        .bind(LOCK)
        .fetch_one(&mut *transaction)
        .await?;
    if !alone {
        transaction.rollback().await?;
        return Ok(0);
    }
    let removed = sqlx::query(REMOVE).bind(BATCH).execute(&mut *transaction).await?.rows_affected();
    transaction.commit().await?;
    Ok(removed)
}

/// Sees to the tables while there is little to do.
pub(super) async fn optimize(postgres: &Postgres) -> Result<Vec<String>, LevelError> {
    let expired = sweep(postgres).await?;
    let mut did = vec![format!("removed {expired} expired values")];
    let mut connection = postgres.connection().await?;
    look(&mut connection, &mut did).await.map_err(|error| postgres.failed(&error))?;
    connection.give_back();
    Ok(did)
}

async fn look(connection: &mut PgConnection, did: &mut Vec<String>) -> Result<(), sqlx::Error> {
    const INDEXED: &str = "SELECT to_regclass('mcp_cache_values_expires') IS NOT NULL";
    const ANALYSE: &str = "ANALYZE mcp_cache_values, mcp_cache_marks, mcp_cache_invalidations";
    // Primary keys hold the rows together, used or not.
    const UNUSED: &str = "
        SELECT stat.indexrelname::text FROM pg_stat_user_indexes AS stat
        JOIN pg_index AS index ON index.indexrelid = stat.indexrelid
        WHERE stat.schemaname = current_schema() AND starts_with(stat.relname, 'mcp_cache_')
            AND stat.idx_scan = 0 AND NOT index.indisunique";
    if !sqlx::query_scalar::<_, bool>(INDEXED).fetch_one(&mut *connection).await? {
        sqlx::raw_sql(INDEX).execute(&mut *connection).await?;
        did.push("created the missing index `mcp_cache_values_expires`".to_owned());
    }
    sqlx::raw_sql(ANALYSE).execute(&mut *connection).await?;
    did.push("analysed the tables".to_owned());
    let unused = sqlx::query(UNUSED).fetch_all(connection).await?;
    for row in &unused {
        let name: String = row.try_get(0)?;
        did.push(format!("found the index `{name}` unused since the statistics began, and left it"));
    }
    if unused.is_empty() {
        did.push("found no index that is never used".to_owned());
    }
    Ok(())
}
