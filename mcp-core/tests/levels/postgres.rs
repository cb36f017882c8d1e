//! A level in Postgres, and the server in trouble. The server is a real one: see [`url`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp_core::cache::level::{Event, Level, Origin, Voided, Write};
use mcp_core::cache::sql::{Database, DatabaseOptions};
use sqlx::{Connection, PgConnection};

use crate::suite::application;
use crate::support::*;

pub(crate) fn url() -> String {
    let default = "postgres://postgres@127.0.0.1:5432/postgres".to_owned();
    std::env::var("MCP_TEST_POSTGRES_URL").unwrap_or(default)
}

/// Opens levels in the server, and removes what they left there.
#[derive(Default)]
struct Server(std::sync::Mutex<Vec<String>>);

impl Server {
    fn level(&self, application: &str, change: impl FnOnce(&mut DatabaseOptions)) -> Database {
        self.0.lock().unwrap().push(application.to_owned());
        let mut options = DatabaseOptions {
            application: application.into(),
            // Many tests at once on two cores.
            acquire_timeout: Duration::from_secs(2),
            query_timeout: Duration::from_secs(5),
            pool_size: 2,
            ..Default::default()
        };
        change(&mut options);
        Database::open(&url(), options).unwrap()
    }
}

impl Stand for Server {
    fn open(&self, application: &str) -> Arc<dyn Level> {
        Arc::new(self.level(application, |_| {}))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let names = std::mem::take(&mut *self.0.lock().unwrap());
        let clean = async {
            let mut connection = PgConnection::connect(&url()).await?;
            for table in [
                "DELETE FROM mcp_cache_values WHERE application = ANY ($1)",
                "DELETE FROM mcp_cache_marks WHERE application = ANY ($1)",
                "DELETE FROM mcp_cache_invalidations WHERE application = ANY ($1)",
            ] {
                sqlx::query(table).bind(&names).execute(&mut connection).await?;
            }
            connection.close().await
        };
        // A failed test has said more than what is left behind would.
        _ = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(clean));
    }
}

promises_of_a_level!(Server::default());

async fn outside() -> PgConnection {
    PgConnection::connect(&url()).await.unwrap()
}

/// Ends the connections of an application; returns how many there were.
async fn terminate(application: &str) -> i64 {
    const TERMINATE: &str = "
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = left($1, 63)";
    let name = format!("mcp cache {application}");
    sqlx::query_scalar(TERMINATE).bind(name).fetch_one(&mut outside().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ends_are_errors_and_then_it_works() {
    let server = Server::default();
    let name = application("terminated");
    let level = server.level(&name, |options| options.pool_size = 1);
    let mut heard = listener(&level).await;
    until_it_works(&level).await;
    assert!(terminate(&name).await >= 2, "one that works and one that listens");
    // Nothing is tried again here: that is for whoever knows how much time is left.
    assert!(level.read(&key(1), &[]).await.is_err());
    until_it_works(&level).await;
    level.invalidate(&Voided::All, Origin(1)).await.unwrap();
    let mut events = Vec::new();
    until("the listener is back", async || {
        events = heard.next().await.unwrap_or_default();
        !events.is_empty()
    })
    .await;
    assert_eq!(events, [Event::Voided(Origin(1), Voided::All)], "it missed nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_in_which_all_are_busy_says_so_in_time() {
    let server = Server::default();
    let name = application("exhausted");
    let wait = Duration::from_millis(250);
    let level = server.level(&name, |options| {
        options.pool_size = 1;
        options.acquire_timeout = wait;
    });
    let before = marks(&level, &[]).await;
    let mut other = outside().await;
    let mut held = other.begin().await.unwrap();
    let lock = "SELECT 1 FROM mcp_cache_marks WHERE application = $1 FOR UPDATE";
    sqlx::query(lock).bind(&name).execute(&mut *held).await.unwrap();
    let writes = {
        let (level, before) = (level.clone(), before.clone());
        tokio::spawn(async move { store(&level, 1, &[], &before, b"late").await })
    };
    until("the write has the connection", async || {
        level.pool().unwrap().size == 1 && level.pool().unwrap().idle == 0
    })
    .await;
    let began = Instant::now();
    let error = level.read(&key(1), &[]).await.unwrap_err().to_string();
    let took = began.elapsed();
    assert!(error.contains("no connection became free"), "{error}");
    assert!(took >= wait && took < Duration::from_secs(5), "it took {took:?}");
    let figures = level.pool().unwrap();
    assert_eq!((figures.waits, figures.timeouts), (1, 1));
    assert!(figures.waited >= wait);
    held.rollback().await.unwrap();
    assert!(writes.await.unwrap().unwrap());
    assert_eq!(content(&level, 1).await.unwrap(), b"late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_come_is_given_up_and_the_pool_recovers() {
    let server = Server::default();
    let name = application("stuck");
    let level = server.level(&name, |options| {
        options.pool_size = 1;
        options.acquire_timeout = Duration::from_millis(250);
        options.query_timeout = Duration::from_millis(200);
    });
    let before = marks(&level, &[]).await;
    let mut other = outside().await;
    let mut held = other.begin().await.unwrap();
    let lock = "SELECT 1 FROM mcp_cache_marks WHERE application = $1 FOR UPDATE";
    sqlx::query(lock).bind(&name).execute(&mut *held).await.unwrap();
    let began = Instant::now();
    assert!(store(&level, 1, &[], &before, b"late").await.is_err());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    // The other one still holds its lock: the connection that waits for it is not lent again.
    until("reads work", async || level.read(&key(1), &[]).await.is_ok()).await;
    held.rollback().await.unwrap();
    until_it_works(&level).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_waited_for_an_invalidation_is_refused() {
    let server = Server::default();
    let name = application("race");
    let level = server.level(&name, |_| {});
    let tags = [tag("a")];
    let before = marks(&level, &tags).await;
    let mut other = outside().await;
    let mut held = other.begin().await.unwrap();
    // What an invalidation does, stopped before it commits.
    for change in [
        "UPDATE mcp_cache_marks SET mark = mark + 1 WHERE application = $1 AND tag = '\\xffffffffffffffffffffffffffffffff'",
        "UPDATE mcp_cache_marks SET mark = mark + 1 WHERE application = $1 AND tag = '\\x00000000000000000000000000000000'",
    ] {
        assert_eq!(sqlx::query(change).bind(&name).execute(&mut *held).await.unwrap().rows_affected(), 1);
    }
    let writes = {
        let (level, before) = (level.clone(), before.clone());
        tokio::spawn(async move { store(&level, 1, &tags, &before, b"late").await })
    };
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE application_name = left($1, 63) AND wait_event_type = 'Lock'";
    let mut looks = outside().await;
    until("the write waits for the lock", async || {
        let name = format!("mcp cache {name}");
        sqlx::query_scalar::<_, i64>(waiting).bind(name).fetch_one(&mut looks).await.unwrap() == 1
    })
    .await;
    held.commit().await.unwrap();
    assert!(!writes.await.unwrap().unwrap(), "it saw the marks as they were before the invalidation");
    assert!(content(&level, 1).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_an_error_in_time_and_not_a_busy_pool() {
    let url = "postgres://someone:s3cret@127.0.0.1:1/nothing";
    let level = Database::open(url, DatabaseOptions::default()).unwrap();
    let began = Instant::now();
    let error = level.read(&key(1), &[]).await.unwrap_err().to_string();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(!error.contains("became free") && !error.contains("s3cret"), "{error}");
    assert!(level.news().next().await.is_err());
    assert!(level.tend().await.is_err());
    let shown = format!("{level:?}");
    assert!(shown.contains("127.0.0.1:1/nothing") && !shown.contains("s3cret"), "{shown}");
    let broken = Database::open("postgres://u:s3cret@host:port/x", DatabaseOptions::default()).unwrap_err();
    assert!(!broken.to_string().contains("s3cret"), "{broken}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn housekeeping_removes_what_is_expired_and_optimizing_says_what_it_did() {
    const ROWS: &str = "SELECT count(*) FROM mcp_cache_values WHERE application = $1";
    let server = Server::default();
    let name = application("expired");
    let level = server.level(&name, |_| {});
    let marks = marks(&level, &[]).await;
    for number in 0..600 {
        let (key, life) = (key(number), Duration::from_millis(1));
        assert!(level.write(Write { key: &key, tags: &[], marks: &marks, value: b"x", life }).await.unwrap());
    }
    assert!(store(&level, 1_000, &[], &marks, b"kept").await.unwrap());
    let mut other = outside().await;
    until("only what lives is left", async || {
        level.tend().await.unwrap();
        sqlx::query_scalar::<_, i64>(ROWS).bind(&name).fetch_one(&mut other).await.unwrap() == 1
    })
    .await;
    assert_eq!(content(&level, 1_000).await.unwrap(), b"kept");
    let did = level.optimize().await.unwrap().join("\n");
    assert!(did.contains("analysed") && did.contains("index"), "{did}");
}
