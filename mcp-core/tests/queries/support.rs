//! Pools that log their statements, and calls as the wrapper of a component runs them.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use mcp_core::profile::Frame;
use mcp_core::profile::sql::{Queries, layer};
use sqlx::{PgPool, SqlitePool};
use tracing_subscriber::prelude::*;

/// Sets the subscriber of the process: a layer that prints nothing below info, and the one under test.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let printed = tracing_subscriber::fmt::layer()
            .with_writer(std::io::sink)
            .with_filter(tracing::level_filters::LevelFilter::INFO);
        tracing_subscriber::registry().with(printed).with(layer()).init();
    });
}

/// A file of its own, which goes with the value.
pub(crate) struct File(std::path::PathBuf);

impl File {
    pub(crate) fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mcp-queries-{}-{}.db", std::process::id(), NEXT.fetch_add(1, Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            _ = std::fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}

pub(crate) async fn sqlite(file: &File) -> SqlitePool {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file.0).create_if_missing(true);
    let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(4).acquire_timeout(LONG);
    pool.connect_with(options).await.unwrap()
}

pub(crate) async fn postgres() -> PgPool {
    let default = "postgres://postgres@127.0.0.1:5432/postgres".to_owned();
    let url = std::env::var("MCP_TEST_POSTGRES_URL").unwrap_or(default);
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(4).acquire_timeout(LONG);
    pool.connect(&url).await.unwrap()
}

/// Fifty calls share four connections on a machine that may be busy.
const LONG: Duration = Duration::from_secs(60);

/// Runs a call: its frame is current in each poll, and its span is open.
pub(crate) async fn call<F: Future>(component: &'static str, future: F) -> (F::Output, Arc<Frame>) {
    let frame = Frame::new(component, Queries::keeping(1_000));
    let span = {
        let _current = frame.enter();
        tracing::info_span!(target: "mcp_core::call", "call", component)
    };
    let mut future = pin!(future);
    let output = poll_fn(|context| {
        let (_current, _span) = (frame.enter(), span.enter());
        future.as_mut().poll(context)
    })
    .await;
    (output, frame)
}

/// Waits until something is so: SQLite tells of a failed statement after its caller went on.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "still not so after 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The fingerprints that a call ran, sorted.
pub(crate) fn ran(frame: &Frame) -> Vec<String> {
    let mut ran: Vec<_> =
        frame.queries().first().iter().map(|query| query.statement.fingerprint().to_string()).collect();
    ran.sort();
    ran
}
