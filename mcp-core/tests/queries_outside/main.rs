//! Statements that no call is found for. In a binary of its own: they are counted for the process.

use std::sync::Arc;

use mcp_core::assert_queries;
use mcp_core::profile::Frame;
use mcp_core::profile::sql::{Queries, layer, seen_outside, statements, unattributed};
use sqlx::Connection;
use tracing_subscriber::prelude::*;

#[tokio::test]
async fn statements_of_no_call_are_counted_and_ask_for_spans() {
    // Where there is no subscriber, the first capture sets one.
    assert_eq!(assert_queries!(at most 0; async { 7 }), 7);
    tracing_subscriber::registry().with(layer()).try_init().unwrap_err();

    let mut connection = sqlx::SqliteConnection::connect("sqlite::memory:").await.unwrap();
    assert_eq!((unattributed(), seen_outside()), (0, false), "opening a connection asks for nothing");

    let frame = Frame::new("without a span", Queries::default());
    without_span(&frame, sqlx::query("SELECT 1 AS lost").execute(&mut connection)).await.unwrap();
    assert_eq!((unattributed(), seen_outside(), frame.queries().count()), (1, true, 0));
    let figures = statements().figures();
    let lost = figures.iter().find(|one| one.fingerprint == "SELECT ? AS lost").unwrap();
    assert_eq!((lost.calls, lost.components.len()), (1, 0));

    // With a span it is found.
    assert_queries!(at most 1; async { sqlx::query("SELECT 1 AS found").execute(&mut connection).await.unwrap() });
    assert_eq!(unattributed(), 1);
}

/// Runs a call whose wrapper opened no span: SQLite's own thread does not know it.
async fn without_span<F: Future>(frame: &Arc<Frame>, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| {
        let _current = frame.enter();
        future.as_mut().poll(context)
    })
    .await
}
