//! What users' tests see of the statements that a future runs.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;

use mcp_core::assert_queries;
use mcp_core::profile::in_call;
use mcp_core::profile::sql::{capture, unattributed};
use sqlx::{AssertSqlSafe, SqlitePool};
use tokio_stream::StreamExt as _;

use crate::support::*;

async fn names(pool: &SqlitePool, ids: &[i64]) -> Vec<String> {
    let mut names = Vec::new();
    for id in ids {
        let text = AssertSqlSafe(format!("SELECT 'name {id}' AS name"));
        names.push(sqlx::query_scalar(text).fetch_one(pool).await.unwrap());
    }
    names
}

/// The message of the panic with which a future ends.
async fn panics<F: Future>(future: F) -> String {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(|_| "it did not panic".to_owned()),
            Err(panic) => Poll::Ready(*panic.downcast::<String>().unwrap()),
        }
    })
    .await
}

async fn opened(file: &File) -> SqlitePool {
    watch();
    call("opens", sqlite(file)).await.0
}

#[tokio::test]
async fn conditions_that_hold_give_back_the_output() {
    let file = File::new();
    let pool = opened(&file).await;
    let one = assert_queries!(at most 1, no repeats; names(&pool, &[1]));
    assert_eq!(one, ["name 1"]);
    let three = assert_queries!(at most 3; async { names(&pool, &[1, 2, 3]).await });
    assert_eq!(three.len(), 3);
    assert_queries!(no repeats; names(&pool, &[7]));
}

#[tokio::test]
async fn conditions_that_do_not_hold_list_the_statements() {
    let file = File::new();
    let pool = opened(&file).await;
    let message = panics(async { assert_queries!(at most 2; names(&pool, &[1, 2, 3])) }).await;
    assert_eq!(message, "3 statements ran, and at most 2 should:\n     3 x SELECT ? AS name");
    let message = panics(async { assert_queries!(at most 2, no repeats; names(&pool, &[1, 2])) }).await;
    let expected = "statements ran repeatedly; run one for all of their values:\n     2 x SELECT ? AS name";
    assert_eq!(message, expected);
    let message = panics(async { assert_queries!(no repeats; names(&pool, &[1, 2])) }).await;
    assert_eq!(message, expected);
    let message = panics(async { assert_queries!(at most 2, no repeats; names(&pool, &[1, 2, 3])) }).await;
    assert!(message.starts_with("3 statements ran"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_in_the_call_are_heard() {
    let file = File::new();
    let pool = opened(&file).await;
    let (names, captured) = capture(async {
        let pool = pool.clone();
        tokio::spawn(in_call(async move { names(&pool, &[1, 2]).await })).await.unwrap()
    })
    .await;
    assert_eq!((names.len(), captured.count()), (2, 2), "{captured:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captures_hold_what_failed_and_what_was_dropped_in_both_databases() {
    let file = File::new();
    let sqlite = opened(&file).await;
    let postgres = call("opens", postgres()).await.0;
    let many =
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5000) SELECT n FROM r";
    macro_rules! ran {
        ($pool:expr) => {
            capture(async {
                sqlx::query("SELECT 'CANARY' AS a").fetch_all($pool).await.unwrap();
                sqlx::query("SELECT 1 FROM no_such_table").fetch_all($pool).await.unwrap_err();
                drop(sqlx::query(many).fetch($pool).next().await.unwrap().unwrap());
            })
            .await
            .1
        };
    }
    for captured in [ran!(&sqlite), ran!(&postgres)] {
        assert_eq!(captured.count(), 3, "{captured:?}");
        // SQLite may tell of the failed one after the next began.
        let mut texts: Vec<_> = captured.queries.iter().map(|query| &*query.fingerprint).collect();
        texts.sort_unstable();
        let shorter = many.replace("SELECT 1", "SELECT ?").replace("+ 1", "+ ?").replace("5000", "?");
        assert_eq!(texts, ["SELECT ? AS a", "SELECT ? FROM no_such_table", &shorter]);
        assert_eq!(captured.queries[0].rows, 1);
        assert_eq!(captured.repeated(1).len(), 3);
        assert!(captured.repeated(2).is_empty());
        assert!(!format!("{captured:?}").contains("CANARY"));
    }
    assert_eq!(unattributed(), 0);
}
