//! Providers of the process that keep what they are given, and what was seen there in words.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use harness::{Http, LEGACY, MODERN, Wire};
use mcp_server::serde_json::Value;
use mcp_server::{Server, tokio};
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, InMemoryMetricExporterBuilder, PeriodicReader, SdkMeterProvider, Temporality,
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tokio::sync::{Mutex, MutexGuard};

/// Attributes by their names.
pub type Attributes = BTreeMap<String, String>;

/// Providers and exporters of this process, for one test at a time.
pub struct Lab {
    spans: InMemorySpanExporter,
    metrics: InMemoryMetricExporter,
    meters: SdkMeterProvider,
}

/// Returns the lab, emptied.
pub async fn lab() -> MutexGuard<'static, Lab> {
    static LAB: LazyLock<Mutex<Lab>> = LazyLock::new(|| Mutex::new(Lab::new()));

    let lab = LAB.lock().await;
    lab.empty();
    lab
}

impl Lab {
    fn new() -> Self {
        let spans = InMemorySpanExporter::default();
        let metrics = InMemoryMetricExporterBuilder::new().with_temporality(Temporality::Delta).build();
        let reader =
            PeriodicReader::builder(metrics.clone()).with_interval(Duration::from_secs(3600)).build();
        let meters = SdkMeterProvider::builder().with_reader(reader).build();
        let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
        global::set_tracer_provider(tracers);
        global::set_meter_provider(meters.clone());
        Self { spans, metrics, meters }
    }

    pub fn empty(&self) {
        let _ = self.meters.force_flush();
        self.metrics.reset();
        self.spans.reset();
    }

    /// Returns all spans that have ended.
    pub fn spans(&self) -> Vec<SpanData> {
        self.spans.get_finished_spans().unwrap()
    }

    /// Returns the operation of a method that has ended; there is one.
    pub fn operation(&self, method: &str) -> SpanData {
        let of_method = |span: &SpanData| {
            attributes(&span.attributes).get("mcp.method.name").is_some_and(|name| name == method)
        };
        let mut found: Vec<_> = self.spans().into_iter().filter(of_method).collect();
        assert_eq!(found.len(), 1, "of `{method}`: {found:#?}");
        found.remove(0)
    }

    /// Returns the attributes of each series of the durations of operations.
    pub fn durations(&self) -> Vec<(Attributes, u64)> {
        self.series("mcp.server.operation.duration")
    }

    /// Returns the attributes of each series of the durations of sessions.
    pub fn sessions(&self) -> Vec<(Attributes, u64)> {
        self.series("mcp.server.session.duration")
    }

    /// Returns the attributes of each series of a metric, and checks what all have in common.
    fn series(&self, name: &str) -> Vec<(Attributes, u64)> {
        self.meters.force_flush().unwrap();
        let mut found = Vec::new();
        for batch in self.metrics.get_finished_metrics().unwrap() {
            for metric in batch.scope_metrics().flat_map(|scope| {
                assert_eq!(scope.scope().name(), "mcp-server");
                scope.metrics()
            }) {
                assert_eq!(metric.unit(), "s");
                let AggregatedMetrics::F64(MetricData::Histogram(histogram)) = metric.data() else {
                    panic!("no histogram: {metric:?}")
                };
                for point in histogram.data_points().filter(|_| metric.name() == name) {
                    let bounds =
                        [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
                    assert!(point.bounds().eq(bounds));
                    found.push((attributes(point.attributes()), point.count()));
                }
            }
        }
        found
    }

    /// Returns everything that was exported, as text.
    pub fn everything(&self) -> String {
        self.meters.force_flush().unwrap();
        format!("{:?}\n{:?}", self.spans(), self.metrics.get_finished_metrics().unwrap())
    }
}

pub fn attributes<'a>(all: impl IntoIterator<Item = &'a KeyValue>) -> Attributes {
    let mut found = Attributes::new();
    for KeyValue { key, value, .. } in all {
        let twice = found.insert(key.to_string(), value.to_string());
        assert!(twice.is_none(), "`{key}` is set twice");
    }
    found
}

/// Returns the attributes that are written here as pairs.
pub fn pairs(all: &[(&str, &str)]) -> Attributes {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Returns what is to be said of the status: its description, where it is an error.
pub fn error(span: &SpanData) -> Option<String> {
    assert_eq!(span.span_kind, SpanKind::Server);
    match &span.status {
        Status::Unset => None,
        Status::Error { description } => Some(description.to_string()),
        Status::Ok => panic!("the conventions leave it unset"),
    }
}

/// One way to a server: what carries the messages, and in which revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub http: bool,
    pub revision: &'static str,
    pub direct: bool,
}

impl Way {
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for http in [false, true] {
            for revision in [LEGACY, MODERN] {
                all.extend([true, false].map(|direct| Self { http, revision, direct }));
            }
        }
        all
    }
}

/// A client that came by one way.
pub enum Client {
    Pipe(Box<Wire>),
    Http(Http, Option<String>),
}

impl Client {
    pub async fn of(way: Way, server: Server) -> Self {
        if !way.http {
            return Self::Pipe(Box::new(Wire::connect(&server, way.revision).await));
        }
        let http = Http::serve(server).await;
        let session = if way.revision == LEGACY {
            Some(http.initialize(&Value::Object(Default::default())).await)
        } else {
            None
        };
        Self::Http(http, session)
    }

    /// Sends a request; returns its id and the whole answer.
    pub async fn request(&mut self, method: &str, params: Value) -> (String, Value) {
        match self {
            Self::Pipe(wire) => {
                let id = wire.send(method, params).await;
                let answer = wire.answer_to(&id).await;
                (id, answer)
            }
            Self::Http(http, Some(session)) => {
                ("h1".to_owned(), http.request_in(session, method, params).await.answer().clone())
            }
            Self::Http(http, None) => ("h1".to_owned(), http.request(method, params).await.answer().clone()),
        }
    }

    pub fn session(&self) -> Option<&str> {
        match self {
            Self::Http(_, session) => session.as_deref(),
            Self::Pipe(_) => None,
        }
    }
}

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not within 10 s: {what}");
}
