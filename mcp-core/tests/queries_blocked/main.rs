//! A filter of the whole subscriber holds back statements: the profiler says so, and by what.
//! In a binary of its own: a process has one subscriber.

use mcp_core::profile::sql::{State, capture, layer, state};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::prelude::*;

#[tokio::test]
async fn a_filter_of_the_whole_subscriber_blocks_and_is_named() {
    tracing_subscriber::registry().with(layer()).with(LevelFilter::INFO).init();
    let State::Blocked { note } = state() else { panic!("{:?}", state()) };
    assert!(note.contains("holds back everything below info"), "{note}");
    assert!(note.contains(".with_filter(..)") && note.contains("sqlx::query=debug"), "{note}");

    let failed = tokio::spawn(async { capture(async {}).await.1 }).await.unwrap_err();
    let message = failed.into_panic().downcast::<String>().unwrap();
    assert!(message.contains("cannot be captured: a filter"), "{message}");
}
