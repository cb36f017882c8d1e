//! What the tables of the cache look like in Postgres.

use sqlx::{Connection, PgConnection};

use crate::cache::sql::standing::Standing;

/// The version of the tables below; others are made anew.
const VERSION: i64 = 1;
/// The lock under which tables are made and housekeeping is done: `mcpcache`.
pub(super) const LOCK: i64 = 0x6d63_7063_6163_6865;

/// The index by which expired values are found.
pub(super) const INDEX: &str =
    "CREATE INDEX IF NOT EXISTS mcp_cache_values_expires ON mcp_cache_values (expires)";

// Unlogged: after a crash all three are empty together, and marks that are lost void what is left.
const TABLES: &str = "
CREATE UNLOGGED TABLE mcp_cache_values (
    application TEXT NOT NULL, key BYTEA NOT NULL, expires BIGINT NOT NULL, bytes BIGINT NOT NULL,
    value BYTEA NOT NULL, PRIMARY KEY (application, key));
CREATE UNLOGGED TABLE mcp_cache_marks (
    application TEXT NOT NULL, tag BYTEA NOT NULL, mark BIGINT NOT NULL, PRIMARY KEY (application, tag));
CREATE UNLOGGED TABLE mcp_cache_invalidations (
    application TEXT NOT NULL, mark BIGINT NOT NULL, previous BIGINT NOT NULL, number BIGINT NOT NULL,
    origin BIGINT NOT NULL, tags BYTEA[], at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (application, mark))";

/// What is said of the tables, where they are there.
const FOUND: &str = "SELECT coalesce(obj_description(to_regclass('mcp_cache_invalidations')), '')";

/// Says what [`prepare`] would do, without it.
pub(super) async fn standing(connection: &mut PgConnection) -> Result<Option<Standing>, sqlx::Error> {
    const ANY: &str = "SELECT coalesce(to_regclass('mcp_cache_values'), to_regclass('mcp_cache_marks'),
        to_regclass('mcp_cache_invalidations')) IS NOT NULL";
    const MAY: &str = "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)";
    let found: String = sqlx::query_scalar(FOUND).fetch_one(&mut *connection).await?;
    if found == comment() {
        return Ok(Some(Standing::Ready));
    }
    if sqlx::query_scalar(ANY).fetch_one(&mut *connection).await? {
        return Ok(Some(Standing::Anew("the tables are of another version")));
    }
    let may_be_made: bool = sqlx::query_scalar(MAY).fetch_one(&mut *connection).await?;
    Ok(may_be_made.then_some(Standing::Missing))
}

fn comment() -> String {
    format!("cache of mcp, version {VERSION}")
}

/// Makes the tables unless those of this version are there.
pub(super) async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    const DROP: &str = "DROP TABLE IF EXISTS mcp_cache_values, mcp_cache_marks, mcp_cache_invalidations";
    let comment = comment();
    let found: String = sqlx::query_scalar(FOUND).fetch_one(&mut *connection).await?;
    if found == comment {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    let found: String = sqlx::query_scalar(FOUND).fetch_one(&mut *transaction).await?;
    if found != comment {
        // The comment comes last: its absence means tables of another version, or a part of them.
        let comment = format!("COMMENT ON TABLE mcp_cache_invalidations IS '{comment}'");
        for statement in [DROP, TABLES, INDEX] {
            sqlx::raw_sql(statement).execute(&mut *transaction).await?;
        }
        sqlx::raw_sql(sqlx::AssertSqlSafe(comment)).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
