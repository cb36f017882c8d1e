//! Every statement is given to its own call, however many share a pool.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mcp_core::profile::Frame;
use mcp_core::profile::sql::{Queries, seen_outside, statements, unattributed};
use sqlx::{AssertSqlSafe, Row};
use tokio_stream::StreamExt as _;

use crate::support::*;

const CALLS: u64 = 50;
/// Is in literals and in bound values, and may be nowhere else.
const CANARY: &str = "CANARY";

/// A short time that differs from call to call and from step to step.
async fn pause(call: u64, step: u64) {
    let micros = call.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7 * step as u32) % 1500;
    if micros.is_multiple_of(3) {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
}

/// What one call runs. Each statement names the call by a column, which a fingerprint keeps.
macro_rules! run {
    ($db:literal, $pool:expr, $n:expr) => {{
        let (db, pool, n) = ($db, &$pool, $n);
        let text =
            |step: &str| AssertSqlSafe(format!("SELECT '{CANARY}' AS call{n}_{db}_{step}, 7 AS number"));

        for _ in 0..2 {
            sqlx::query(text("plain")).fetch_all(pool).await.unwrap();
            pause(n, 1).await;
        }

        let mut transaction = pool.begin().await.unwrap();
        sqlx::query(text("first")).fetch_one(&mut *transaction).await.unwrap();
        pause(n, 2).await;
        sqlx::query(text("second")).execute(&mut *transaction).await.unwrap();
        if n.is_multiple_of(2) {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }

        let many = format!("SELECT a.n AS call{n}_{db}_stream FROM {MANY} a, {MANY} b, {MANY} c");
        let mut stream = sqlx::query(AssertSqlSafe(many)).fetch(pool);
        let first = stream.next().await.unwrap().unwrap();
        assert_eq!(first.len(), 1);
        pause(n, 3).await;
        drop(stream);

        let wrong = format!("SELECT call{n}_{db}_wrong FROM there_is_no_such_table WHERE a = '{CANARY}'");
        sqlx::query(AssertSqlSafe(wrong)).fetch_all(pool).await.unwrap_err();
        pause(n, 4).await;

        let (one, two) = tokio::join!(
            sqlx::query(text("left")).fetch_optional(pool),
            sqlx::query(text("right")).fetch_all(pool),
        );
        one.unwrap();
        two.unwrap();
    }};
}

/// Twenty rows; both databases know it.
const MANY: &str =
    "(WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 20) SELECT n FROM r)";

fn expected(db: &str, n: u64) -> Vec<String> {
    let text = |step: &str| format!("SELECT ? AS call{n}_{db}_{step}, ? AS number");
    let many = MANY.replace("SELECT 1", "SELECT ?").replace("+ 1", "+ ?").replace("20", "?");
    let mut all: Vec<String> = ["plain", "plain", "first", "second", "left", "right"].map(text).into();
    all.push(format!("SELECT a.n AS call{n}_{db}_stream FROM {many} a, {many} b, {many} c"));
    all.push(format!("SELECT call{n}_{db}_wrong FROM there_is_no_such_table WHERE a = ?"));
    if db == "postgres" {
        // In SQLite, sqlx ends transactions without a word.
        all.push(if n.is_multiple_of(2) { "COMMIT" } else { "ROLLBACK" }.to_owned());
    }
    all.sort();
    all
}

async fn check(db: &str, frames: Vec<Arc<Frame>>) {
    assert_eq!(frames.len() as u64, CALLS);
    for (n, frame) in (0..).zip(&frames) {
        until("all statements of the call were told", || ran(frame).len() >= expected(db, n).len()).await;
        assert_eq!(ran(frame), expected(db, n), "of call {n}");
        assert!(!format!("{frame:?}").contains(CANARY), "{frame:?}");
    }
    assert_eq!(unattributed(), 0);
    assert!(!seen_outside());
    let figures = statements().figures();
    let all = |n| expected(db, n).into_iter().collect::<BTreeSet<_>>();
    for fingerprint in (0..CALLS).flat_map(all).filter(|text| text.starts_with("SELECT")) {
        let one = figures.iter().find(|one| one.fingerprint == fingerprint).unwrap();
        let plain = fingerprint.contains("plain");
        assert_eq!(one.calls, if plain { 2 } else { 1 }, "{fingerprint}");
        assert!(!plain || one.rows == 2, "{one:?}");
        assert_eq!(one.components, ["the component"]);
    }
    assert!(!format!("{figures:?}").contains(CANARY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_statement_in_sqlite_is_given_to_its_own_call() {
    watch();
    let file = File::new();
    let pool = call("opens", sqlite(&file)).await.0;
    let one = |n| {
        let pool = pool.clone();
        tokio::spawn(call("the component", async move { run!("sqlite", pool, n) }))
    };
    let running: Vec<_> = (0..CALLS).map(one).collect();
    let mut frames = Vec::new();
    for call in running {
        frames.push(call.await.unwrap().1);
    }
    check("sqlite", frames).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_statement_in_postgres_is_given_to_its_own_call() {
    watch();
    let pool = call("opens", postgres()).await.0;
    let one = |n| {
        let pool = pool.clone();
        tokio::spawn(call("the component", async move { run!("postgres", pool, n) }))
    };
    let running: Vec<_> = (0..CALLS).map(one).collect();
    let mut frames = Vec::new();
    for call in running {
        frames.push(call.await.unwrap().1);
    }
    check("postgres", frames).await;
}

#[tokio::test]
async fn the_statements_of_a_call_within_a_call_are_its_own() {
    watch();
    let file = File::new();
    let sqlite = call("opens", sqlite(&file)).await.0;
    let postgres = call("opens", postgres()).await.0;
    let ((), outer) = call("outer", async {
        sqlx::query("SELECT 1 AS outer_before").execute(&sqlite).await.unwrap();
        let ((), inner) = call("inner", async {
            sqlx::query("SELECT 1 AS inner_sqlite").execute(&sqlite).await.unwrap();
            sqlx::query("SELECT 1 AS inner_postgres").execute(&postgres).await.unwrap();
        })
        .await;
        assert_eq!(ran(&inner), ["SELECT ? AS inner_postgres", "SELECT ? AS inner_sqlite"]);
        // A call that opened no span, because it was given nothing shared.
        let (frame, query) =
            (Frame::new("short", Queries::default()), sqlx::query("SELECT 1 AS without_span"));
        let mut running = std::pin::pin!(query.execute(&postgres));
        std::future::poll_fn(|context| {
            let _current = frame.enter();
            running.as_mut().poll(context)
        })
        .await
        .unwrap();
        assert_eq!(ran(&frame), ["SELECT ? AS without_span"]);
        sqlx::query("SELECT 1 AS outer_after").execute(&postgres).await.unwrap();
    })
    .await;
    assert_eq!(ran(&outer), ["SELECT ? AS outer_after", "SELECT ? AS outer_before"]);
}

#[tokio::test]
async fn a_task_that_carries_the_span_belongs_to_the_call() {
    watch();
    let pool = call("opens", postgres()).await.0;
    let ((), frame) = call("spawns", async {
        let span = tracing::Span::current();
        let query = async move { sqlx::query("SELECT 1 AS spawned").execute(&pool).await.unwrap() };
        tokio::spawn(tracing::Instrument::instrument(query, span)).await.unwrap();
    })
    .await;
    assert_eq!(ran(&frame), ["SELECT ? AS spawned"]);
}
