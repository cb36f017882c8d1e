//! Tools with the mistakes that a profiler is for: each is named for what it is, on the dashboard and in `stats`.

use std::time::{Duration, Instant};

use mcp_server::prelude::*;
use mcp_server::{checkpoint, step};
use sqlx::{Row as _, SqlitePool};

/// Adds two numbers: nothing is wrong with it.
#[tool(read_only)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Finds the books of an author; asked again within a minute, it answers from memory.
#[tool(read_only, cache(ttl = "60s", scope = "public", tags("books")))]
async fn books(author: String, db: Dep<SqlitePool>) -> Result<Json<Vec<String>>, ToolError> {
    let rows = sqlx::query("SELECT title FROM books WHERE author = ?").bind(author).fetch_all(&*db).await?;
    Ok(Json(rows.iter().map(|row| row.get(0)).collect()))
}

/// Lists all authors with how many books they have: one query, and then one for each author.
#[tool(read_only)]
async fn authors(db: Dep<SqlitePool>) -> Result<Json<Vec<(String, i64)>>, ToolError> {
    let rows = sqlx::query("SELECT DISTINCT author FROM books ORDER BY author").fetch_all(&*db).await?;
    checkpoint!("authors loaded", authors = rows.len());
    let mut authors = Vec::new();
    for row in rows {
        let author: String = row.get(0);
        let count = sqlx::query("SELECT count(*) FROM books WHERE author = ?").bind(&author);
        authors.push((author, count.fetch_one(&*db).await?.get(0)));
    }
    Ok(Json(authors))
}

/// Waits with a call that blocks, and with it all that its thread could do meanwhile.
#[tool(read_only)]
async fn blocks() -> &'static str {
    checkpoint!("before the sleep");
    std::thread::sleep(Duration::from_millis(30));
    "slept"
}

/// Computes for a while on a thread that is there for waiting.
#[tool(read_only)]
async fn burns() -> u64 {
    let (begun, mut rounds) = (Instant::now(), 0_u64);
    while begun.elapsed() < Duration::from_millis(30) {
        rounds += std::hint::black_box(1);
    }
    rounds
}

/// Waits for a service that takes its time, as it should: without keeping anybody.
#[tool(read_only, slow = "100ms")]
async fn waits() -> &'static str {
    step!("ask", tokio::time::sleep(Duration::from_millis(120)));
    step!("render", tokio::time::sleep(Duration::from_millis(10)));
    "waited"
}

/// Fails now and then.
#[tool(read_only)]
fn fails(number: u64) -> Result<u64, ToolError> {
    if number.is_multiple_of(3) { Err(ToolError::new("three is too many")) } else { Ok(number) }
}

/// A shelf in memory.
#[provider]
async fn shelf() -> Result<SqlitePool, ToolError> {
    let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    sqlx::query("CREATE TABLE books (author TEXT, title TEXT)").execute(&pool).await?;
    for number in 0..120 {
        let insert = sqlx::query("INSERT INTO books VALUES (?, ?)");
        let (author, title) = (format!("author {}", number % 12), format!("book {number}"));
        insert.bind(author).bind(title).execute(&pool).await?;
    }
    Ok(pool)
}

mcp_server::main!();
