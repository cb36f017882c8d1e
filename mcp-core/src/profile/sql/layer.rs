//! The layer that hears sqlx's statements and gives each to its call.

use std::sync::Arc;
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::state::note_probe;
use super::{Query, Statement, statements, watch};
use crate::profile::frame::Frame;

const QUERY: &str = "sqlx::query";
const ACQUIRE: &str = "sqlx::pool::acquire";
const CALL: &str = "mcp_core::call";

/// Makes the layer that hears sqlx's statements; a subscriber takes one.
///
/// It hears nothing but them, waits for connections, and the spans of calls, whatever the filters of
/// other layers say. A filter of the whole subscriber comes before it: see [`state`](super::state).
///
/// # Examples
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// let printed = tracing_subscriber::fmt::layer().with_filter(tracing::level_filters::LevelFilter::INFO);
/// tracing_subscriber::registry().with(printed).with(mcp_core::profile::sql::layer()).init();
/// assert_eq!(mcp_core::profile::sql::state().word(), "on");
/// ```
pub fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    watch::a_layer();
    QueryLayer.with_filter(Hears)
}

struct QueryLayer;

impl<S> Layer<S> for QueryLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    /// Keeps the frame of the call with its span: a connection may work on a thread of its own.
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target() != CALL {
            return;
        }
        if let (Some(frame), Some(span)) = (Frame::current(), context.span(id)) {
            span.extensions_mut().replace(frame);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut seen = Seen::default();
        event.record(&mut seen);
        match event.metadata().target() {
            QUERY => {
                let Some(query) = seen.query() else { return };
                match frame(event, &context) {
                    _ if query.statement.opens_a_connection() => {}
                    // What comes after the end of a call is in no figures.
                    Some(frame) if frame.has_ended() => watch::a_late_one(),
                    Some(frame) => frame.query(query),
                    None => watch::a_stray(),
                }
            }
            ACQUIRE => watch::a_wait(seen.acquired_after),
            _ => {}
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        // At once, though the registry may keep the rest of the span for a moment.
        let frame = context.span(&id).and_then(|span| span.extensions_mut().remove::<Arc<Frame>>());
        drop(frame);
    }
}

/// The frame of the thread is the innermost call; a connection's own thread has only the span.
fn frame<S>(event: &Event<'_>, context: &Context<'_, S>) -> Option<Arc<Frame>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    Frame::current().or_else(|| {
        context.event_scope(event)?.find_map(|span| span.extensions().get::<Arc<Frame>>().cloned())
    })
}

/// What the layer hears. It gives no most verbose level: as a hint it would make sqlx ask for less.
struct Hears;

impl Hears {
    fn hears(metadata: &Metadata<'_>) -> bool {
        matches!(metadata.target(), QUERY | ACQUIRE) || (metadata.target() == CALL && !metadata.is_event())
    }
}

impl<S> Filter<S> for Hears {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        note_probe(metadata);
        Self::hears(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Self::hears(metadata) { Interest::always() } else { Interest::never() }
    }
}

/// The fields of an event.
#[derive(Default)]
struct Seen {
    statement: Option<Arc<Statement>>,
    /// The first four words, which are the whole text where there is no other.
    summary: Option<String>,
    elapsed: Option<Duration>,
    elapsed_text: Option<Duration>,
    returned: u64,
    affected: u64,
    acquired_after: Duration,
}

impl Seen {
    fn query(self) -> Option<Query> {
        let statement = self.statement.or_else(|| Some(statements().of(&self.summary?)))?;
        let took = self.elapsed.or(self.elapsed_text).unwrap_or_default();
        let rows = if self.returned > 0 { self.returned } else { self.affected };
        let slow = took >= statements().slow();
        statement.record(took, rows, slow);
        Some(Query { statement, took, rows, slow })
    }
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "db.statement" if !value.trim().is_empty() => self.statement = Some(statements().of(value)),
            "summary" => self.summary = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // `None` of what is no duration.
        let seconds = Duration::try_from_secs_f64(value).ok();
        match field.name() {
            "elapsed_secs" => self.elapsed = seconds,
            "acquired_after_secs" => self.acquired_after = seconds.unwrap_or_default(),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "rows_returned" => self.returned = value,
            "rows_affected" => self.affected = value,
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "elapsed" && self.elapsed.is_none() {
            self.elapsed_text = duration(&format!("{value:?}"));
        }
    }
}

/// Reads what `Debug` writes of a duration.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| c != '.' && !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit)?;
    let scale = match unit {
        "s" => 1.0,
        "ms" => 1e-3,
        "µs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * scale).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_written() {
        for nanos in [0, 7, 1_500, 2_000_000, 999_999_999, 61_000_000_000] {
            let written = Duration::from_nanos(nanos);
            let read = duration(&format!("{written:?}")).unwrap();
            assert!(read.abs_diff(written) <= Duration::from_nanos(1), "{written:?} was read as {read:?}");
        }
        assert_eq!([duration(""), duration("1"), duration("1h"), duration("x")], [None; 4]);
    }
}
