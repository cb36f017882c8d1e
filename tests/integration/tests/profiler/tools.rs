//! Tools that do one thing that a profiler should see.

use std::time::{Duration, Instant};

use mcp_server::prelude::*;
use mcp_server::{checkpoint, step};
use sqlx::{PgPool, Row as _, SqlitePool};

/// Waits where it must not.
#[tool]
async fn sleeps() {
    checkpoint!("before the sleep");
    std::thread::sleep(Duration::from_millis(60));
}

/// Says what it is told, or fails with it, and waits where it must not.
#[tool]
async fn repeats(text: String, fails: bool) -> Result<String, ToolError> {
    std::thread::sleep(Duration::from_millis(20));
    if fails { Err(ToolError::new(text)) } else { Ok(text) }
}

/// Computes where it should not.
#[tool]
async fn spins() {
    checkpoint!("before the loop");
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(60) {
        std::hint::black_box((0..1_000_u64).sum::<u64>());
    }
}

/// Waits for a server that takes its time.
#[tool]
async fn asks_far_away(address: String) -> Result<(), ToolError> {
    use mcp_server::tokio::io::AsyncReadExt as _;

    checkpoint!("before the request");
    let mut stream = step!("connect", mcp_server::tokio::net::TcpStream::connect(address))?;
    step!("read", stream.read(&mut [0]))?;
    Ok(())
}

/// Asks for each of twenty users by itself.
#[tool]
async fn asks_again_and_again(db: Dep<SqlitePool>) -> Result<i64, ToolError> {
    let users = sqlx::query("SELECT 20 AS users").fetch_one(&*db).await?.get::<i64, _>(0);
    checkpoint!("users counted", users = users);
    let mut sum = 0;
    for user in 0..users {
        sum += sqlx::query("SELECT ?1 AS age").bind(user).fetch_one(&*db).await?.get::<i64, _>(0);
    }
    Ok(sum)
}

/// Does not come back for a while.
#[tool(slow = "100ms")]
async fn hangs() {
    mcp_server::tokio::time::sleep(Duration::from_secs(30)).await;
}

/// Does not even let others run.
#[tool(slow = "100ms")]
async fn hangs_in_one_poll() {
    std::thread::sleep(Duration::from_secs(4));
}

/// Waits on a thread that is there for it.
#[tool(blocking)]
fn sleeps_elsewhere() {
    std::thread::sleep(Duration::from_millis(60));
}

/// Allocates beside others.
#[tool]
async fn allocates_beside() {
    for _ in 0..12 {
        std::hint::black_box(vec![1_u8; 77_777]);
        turns().await;
    }
}

/// Allocates so many bytes, between turns.
#[tool]
async fn allocates(bytes: usize) {
    for _ in 0..4 {
        std::hint::black_box(vec![1_u8; bytes / 4]);
        turns().await;
    }
}

async fn turns() {
    for _ in 0..3 {
        mcp_server::tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Runs so many statements in SQLite.
#[tool]
async fn in_sqlite(statements: u32, db: Dep<SqlitePool>) -> Result<(), ToolError> {
    let mut transaction = db.begin().await?;
    for _ in 0..statements {
        mcp_server::tokio::task::yield_now().await;
        sqlx::query("SELECT 'canary', 42").fetch_all(&mut *transaction).await?;
    }
    Ok(())
}

/// Runs three statements in SQLite.
#[tool]
async fn three_in_sqlite(db: Dep<SqlitePool>) -> Result<(), ToolError> {
    let one = || async { sqlx::query("SELECT 1 AS three").fetch_one(&*db).await.map(|_| ()) };
    mcp_server::tokio::try_join!(one(), one(), one())?;
    Ok(())
}

/// Runs so many statements in PostgreSQL.
#[tool]
async fn in_postgres(statements: u32, db: Dep<PgPool>) -> Result<(), ToolError> {
    for _ in 0..statements {
        sqlx::query("SELECT 'canary', 42 FROM (SELECT pg_sleep(0)) AS s").fetch_all(&*db).await?;
    }
    Ok(())
}

/// A database in memory, which four connections share.
#[provider]
async fn sqlite() -> Result<SqlitePool, ToolError> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().in_memory(true);
    Ok(sqlx::sqlite::SqlitePoolOptions::new().max_connections(4).connect_with(options).await?)
}

/// The database that the tests are given.
#[provider]
async fn postgres() -> Result<PgPool, ToolError> {
    let default = "postgres://postgres@127.0.0.1:5432/postgres".to_owned();
    let url = std::env::var("MCP_TEST_POSTGRES_URL").unwrap_or(default);
    Ok(sqlx::postgres::PgPoolOptions::new().max_connections(4).connect(&url).await?)
}

pub(crate) fn all(server: Server) -> Server {
    server
        .tool(sleeps::def())
        .tool(repeats::def())
        .tool(spins::def())
        .tool(asks_far_away::def())
        .tool(asks_again_and_again::def())
        .tool(hangs::def())
        .tool(hangs_in_one_poll::def())
        .tool(sleeps_elsewhere::def())
        .tool(allocates_beside::def())
        .tool(allocates::def())
        .tool(in_sqlite::def())
        .tool(three_in_sqlite::def())
        .tool(in_postgres::def())
        .provider(sqlite::def())
        .provider(postgres::def())
}
