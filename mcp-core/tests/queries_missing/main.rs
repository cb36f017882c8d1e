//! A subscriber without the layer: the profiler says what to write.
//! In a binary of its own: a process has one subscriber.

use mcp_core::profile::sql::{State, capture, is_watched, layer, state};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::prelude::*;

#[tokio::test]
async fn a_subscriber_without_the_layer_is_told_what_to_write() {
    assert!(!is_watched());
    let State::Off { note } = state() else { panic!("{:?}", state()) };
    assert!(note.starts_with("there is no layer: write `tracing_subscriber::registry()"), "{note}");

    // Events are written to nowhere, at all levels.
    tracing_subscriber::registry().with(tracing_subscriber::fmt::layer().with_writer(std::io::sink)).init();
    let State::Off { note } = state() else { panic!("{:?}", state()) };
    assert!(note.contains("there is no layer"), "{note}");

    let failed = tokio::spawn(async { capture(async {}).await.1 }).await.unwrap_err();
    let message = failed.into_panic().downcast::<String>().unwrap();
    assert!(message.contains("cannot be captured: the layer is not part of the subscriber"), "{message}");

    for (subscriber, expected) in scoped() {
        tracing::dispatcher::with_default(&subscriber, || {
            assert_eq!(state().word(), expected, "{:?}", state());
        });
    }
}

/// Subscribers of a thread, and the state with each.
fn scoped() -> [(tracing::Dispatch, &'static str); 6] {
    let targets = tracing_subscriber::filter::Targets::new;
    [
        (tracing_subscriber::registry().with(layer()).into(), "on"),
        (tracing_subscriber::registry().with(layer()).with(printed()).into(), "on"),
        (tracing_subscriber::registry().with(printed()).with(layer()).into(), "on"),
        (tracing_subscriber::registry().with(tracing_subscriber::reload::Layer::new(layer()).0).into(), "on"),
        // The level is let through, the target is not.
        (
            tracing_subscriber::registry()
                .with(layer())
                .with(targets().with_target("shop", LevelFilter::TRACE))
                .into(),
            "blocked",
        ),
        // Statements are let through, the spans of calls are not.
        (
            tracing_subscriber::registry()
                .with(layer())
                .with(targets().with_target("sqlx", LevelFilter::TRACE))
                .into(),
            "blocked",
        ),
    ]
}

/// A layer that prints, as most programs have one.
fn printed<S>() -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(LevelFilter::INFO)
}
