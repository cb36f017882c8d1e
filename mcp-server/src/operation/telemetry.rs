//! Operations as spans and metrics of OpenTelemetry, through its API alone.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::{Duration, SystemTime};

use mcp_core::profile;
use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::metrics::Histogram;
use opentelemetry::trace::{
    Link, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue, Value};

use super::arrival::Arrival;
use super::asked::{Asked, Revision, Target};
use super::ended::Ended;
use super::parent;
use super::series::{Series, boundaries};

/// How many bytes of a URI or an id are told: both are the client's.
const LONGEST: usize = 1024;

/// The instruments of a server, of the providers that the process had when it started.
pub(super) struct Telemetry {
    pub(super) tracer: BoxedTracer,
    durations: Histogram<f64>,
    sessions: Histogram<f64>,
    /// Whether the parent of an operation is what serves it, and its client is linked.
    local: bool,
}

/// The span of an operation, in the context that it runs in.
#[derive(Default)]
pub(super) struct Spanned(Context);

impl Telemetry {
    pub(super) fn of_process(local: bool) -> Self {
        let scope =
            InstrumentationScope::builder("mcp-server").with_version(env!("CARGO_PKG_VERSION")).build();
        let meter = global::meter_with_scope(scope.clone());
        let histogram = |name: &'static str, description: &'static str| {
            let histogram = meter.f64_histogram(name).with_description(description).with_unit("s");
            histogram.with_boundaries(boundaries().collect()).build()
        };
        Self {
            durations: histogram(
                "mcp.server.operation.duration",
                "Duration of MCP requests and notifications on the server",
            ),
            sessions: histogram("mcp.server.session.duration", "Duration of MCP sessions on the server"),
            tracer: global::tracer_with_scope(scope),
            local,
        }
    }

    /// Begins the span of an operation.
    ///
    /// Its parent is what the client says in the message, or nothing: rmcp's own spans last as long as a
    /// connection. What it came in is linked.
    pub(super) fn begin(&self, arrival: &Arrival, asked: &Asked<'_>) -> Spanned {
        let method = asked.method.name();
        let name = match asked.target.name() {
            Some(target) => Cow::Owned(format!("{method} {target}")),
            None => Cow::Borrowed(method),
        };
        let remote = parent::remote(asked.traceparent, asked.tracestate);
        let ambient = Some(arrival.ambient.span().span_context().clone()).filter(SpanContext::is_valid);
        let (parent, linked) = if self.local { (ambient, remote) } else { (remote, ambient) };
        let parent =
            parent.map_or_else(Context::new, |parent| arrival.ambient.with_remote_span_context(parent));
        let builder = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Server)
            .with_start_time(
                SystemTime::now() - Duration::from_nanos(profile::now().saturating_sub(arrival.at)),
            )
            .with_attributes(attributes(arrival, asked))
            .with_links(linked.map(Link::with_context).into_iter().collect());
        Spanned(arrival.ambient.with_span(self.tracer.build_with_context(builder, &parent)))
    }

    /// Records how long an operation took.
    pub(super) fn record(&self, nanos: u64, series: &Series) {
        self.durations.record(nanos as f64 / 1e9, &series.attributes);
    }

    /// Records how long a session took.
    pub(super) fn record_session(&self, nanos: u64, series: &Series) {
        self.sessions.record(nanos as f64 / 1e9, &series.attributes);
    }
}

impl Spanned {
    pub(super) fn context(&self) -> Context {
        self.0.clone()
    }

    /// Ends the span with what became of its operation.
    pub(super) fn end(&self, revision: Revision, ended: &Ended) {
        let span = self.0.span();
        if !span.is_recording() {
            return;
        }
        let (error, code) = (ended.ending.error_type(), ended.ending.status_code());
        // A handshake settles its revision at the end.
        let known = [
            ("mcp.protocol.version", revision.name()),
            ("error.type", error),
            ("rpc.response.status_code", code),
        ];
        span.set_attributes(known.into_iter().filter_map(|(name, value)| Some(KeyValue::new(name, value?))));
        if error.is_some() {
            span.set_status(Status::error(ended.message.clone().unwrap_or_default()));
        }
        span.end();
    }
}

/// Returns what is known of an operation when it begins.
fn attributes(arrival: &Arrival, asked: &Asked<'_>) -> Vec<KeyValue> {
    let mut all = Vec::with_capacity(14);
    let mut set = |name: &'static str, value: Option<Value>| {
        all.extend(value.map(|value| KeyValue::new(name, value)));
    };
    set("mcp.method.name", Some(asked.method.name().into()));
    let target = asked.target.name().map(Value::from);
    if asked.method.is_tool_call() {
        set("gen_ai.operation.name", Some("execute_tool".into()));
        set("gen_ai.tool.name", target);
    } else if !matches!(asked.target, Target::None) {
        set("gen_ai.prompt.name", target);
    }
    set("mcp.resource.uri", asked.uri.map(clipped));
    set("jsonrpc.request.id", asked.id.map(clipped));
    if asked.revision.has_sessions() {
        set("mcp.session.id", asked.session.map(clipped));
    }
    let network = arrival.network;
    set("network.transport", network.transport().map(Value::from));
    set("network.protocol.name", network.protocol().map(Value::from));
    set("network.protocol.version", network.version().map(Value::from));
    if let Some(client) = arrival.client {
        set("client.address", Some(client.ip().to_canonical().to_string().into()));
        set("client.port", Some(i64::from(client.port()).into()));
    }
    all
}

fn clipped(text: impl Display) -> Value {
    let mut text = text.to_string();
    text.truncate(text.floor_char_boundary(LONGEST));
    text.into()
}
