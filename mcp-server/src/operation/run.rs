//! The run of a component in the trace of its call: its own spans nest there, and what it noted is told there.

use std::sync::Arc;
use std::time::SystemTime;

use mcp_core::component::BoxFuture;
use mcp_core::profile::Frame;
use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};

use super::telemetry::Telemetry;

/// Has a run go on in the context that is current now, also in the task of a flight.
pub(super) fn carried<T: 'static>(
    telemetry: &Arc<Telemetry>,
    run: BoxFuture<'static, T>,
) -> BoxFuture<'static, T> {
    let context = Context::current();
    if !context.has_active_span() {
        return run;
    }
    let mut told = Told { telemetry: Arc::clone(telemetry), context: context.clone(), frame: None };
    let run = async move {
        // Now, for where this is dropped another run may be under way.
        told.frame = Frame::current();
        if let (Some(frame), Some(trace)) = (&told.frame, trace()) {
            frame.trace(trace);
        }
        let _told = told;
        run.await
    };
    Box::pin(run.with_context(context))
}

/// Returns the trace of the context that is current.
pub(crate) fn trace() -> Option<[u8; 16]> {
    Context::map_current(|context| {
        let span = context.span();
        let of = span.span_context();
        of.is_valid().then(|| of.trace_id().to_bytes())
    })
}

/// Tells what the run has noted when it ends, be it by a panic.
struct Told {
    telemetry: Arc<Telemetry>,
    context: Context,
    frame: Option<Arc<Frame>>,
}

impl Drop for Told {
    fn drop(&mut self) {
        let span = self.context.span();
        let Some(frame) = self.frame.take().filter(|_| span.is_recording()) else { return };
        let Some(called) = SystemTime::now().checked_sub(frame.elapsed()) else { return };
        for (label, value, after) in frame.checkpoints() {
            let value = value.map(|value| KeyValue::new("mcp_server.checkpoint.value", value));
            span.add_event_with_timestamp(label, called + after, value.into_iter().collect());
        }
        for query in frame.queries().first() {
            // Without literals: a fingerprint has none.
            let text = Arc::clone(query.statement.fingerprint());
            let verb = text.split(' ').next().unwrap_or_default().to_owned();
            let begun = called + query.start;
            let builder = SpanBuilder::from_name(verb)
                .with_kind(SpanKind::Client)
                .with_start_time(begun)
                .with_attributes([KeyValue::new("db.query.text", text)]);
            let mut span = self.telemetry.tracer.build_with_context(builder, &self.context);
            span.end_with_timestamp(begun + query.took);
        }
    }
}
