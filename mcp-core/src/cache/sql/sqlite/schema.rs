//! What a SQLite file of the cache looks like.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

/// The number in the header of a file that says whose it is: `mcpc`.
pub(super) const APPLICATION: u32 = 0x6d63_7063;
/// The version of the tables below; a file with another one is made anew.
pub(super) const VERSION: i32 = 1;
/// Bytes of a page, of which a value takes whole ones.
pub(super) const PAGE: u64 = 4096;
/// How long a statement waits for another process.
pub(super) const BUSY: Duration = Duration::from_millis(250);

/// The index by which expired values are found.
pub(super) const INDEX: &str =
    "CREATE INDEX IF NOT EXISTS mcp_cache_values_expires ON mcp_cache_values (expires)";

const TABLES: &str = "
CREATE TABLE mcp_cache_values (
    application TEXT NOT NULL, key BLOB NOT NULL, expires INTEGER NOT NULL, bytes INTEGER NOT NULL,
    value BLOB NOT NULL, PRIMARY KEY (application, key)) STRICT;
CREATE TABLE mcp_cache_marks (
    application TEXT NOT NULL, tag BLOB NOT NULL, mark INTEGER NOT NULL,
    PRIMARY KEY (application, tag)) STRICT, WITHOUT ROWID;
CREATE TABLE mcp_cache_invalidations (
    application TEXT NOT NULL, mark INTEGER NOT NULL, previous INTEGER NOT NULL,
    number INTEGER NOT NULL, origin INTEGER NOT NULL, tags BLOB, at INTEGER NOT NULL,
    PRIMARY KEY (application, mark)) STRICT, WITHOUT ROWID";

/// Reads a row of each table, which shows that they are there.
pub(super) const LOOK: &str = "
SELECT expires FROM mcp_cache_values LIMIT 1; SELECT mark FROM mcp_cache_marks LIMIT 1;
SELECT mark FROM mcp_cache_invalidations LIMIT 1";

/// How a file is opened once it is there.
pub(super) fn connect(path: &Path, max_bytes: u64) -> SqliteConnectOptions {
    // Above it the log in front of the file is cut after it was copied into the file.
    const LARGEST_JOURNAL: &str = "4194304";
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(false)
        .synchronous(SqliteSynchronous::Normal)
        .pragma("journal_size_limit", LARGEST_JOURNAL)
        .pragma("cell_size_check", "ON")
        .pragma("trusted_schema", "OFF")
        .pragma("max_page_count", (max_bytes / PAGE).to_string())
        .disable_statement_logging()
}

/// Fills an empty file, which nobody else knows of yet.
pub(super) async fn create(path: &Path) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .page_size(PAGE as u32)
        // Before the journal, which counts as a first change, after which it is too late.
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .pragma("application_id", APPLICATION.to_string())
        .pragma("user_version", VERSION.to_string())
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    sqlx::raw_sql(TABLES).execute(&mut connection).await?;
    sqlx::raw_sql(INDEX).execute(&mut connection).await?;
    // Last: whatever comes before it stands in the header of the file, where others look for it.
    sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut connection).await?;
    connection.close().await
}
