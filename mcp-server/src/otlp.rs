//! The pipeline of OpenTelemetry: batches of spans and metrics to a collector, by OTLP over HTTP.
//!
//! [`main!`](crate::main) starts it where an endpoint is set; a program of one's own calls [`init_from_env`]
//! before the server starts, as a server looks for the providers of its process once.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use opentelemetry::global;
use opentelemetry_otlp::{MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::error::Error;

/// How long the last batches may take; a collector that is away is not waited for.
const LAST: Duration = Duration::from_secs(2);

/// Any of these says where the collector is.
const ENDPOINTS: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
];

/// How messages are sent, for all and for each signal.
const PROTOCOLS: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
];

/// What sends spans and metrics, until it is dropped: then it sends the last and waits up to two seconds.
#[derive(Debug)]
#[must_use = "what was not sent yet is sent when this is dropped"]
pub struct Pipeline {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
}

/// Starts the pipeline that the `OTEL_*` variables describe, for the whole process.
///
/// `service` is the name where neither `OTEL_SERVICE_NAME` nor `OTEL_RESOURCE_ATTRIBUTES` says one. Returns
/// `None` where no `OTEL_EXPORTER_OTLP_ENDPOINT` is set, or `OTEL_SDK_DISABLED` is `true`. `_HEADERS`, `_TIMEOUT`,
/// the variables of one signal, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*` and `OTEL_METRIC_EXPORT_INTERVAL` are
/// those of the [specification](https://opentelemetry.io/docs/specs/otel/protocol/exporter/).
///
/// # Errors
///
/// [`Error::Start`] for a protocol other than `http/protobuf`, for an endpoint that is none, and for one of `https`
/// without the feature `otlp-tls`.
///
/// # Examples
///
/// ```no_run
/// # fn main() -> Result<(), mcp_server::Error> {
/// let _pipeline = mcp_server::otlp::init_from_env("my-server")?;
/// // Start the server here.
/// # Ok(())
/// # }
/// ```
pub fn init_from_env(service: &str) -> Result<Option<Pipeline>, Error> {
    if !is_wanted()? {
        return Ok(None);
    }
    let failed = |error: opentelemetry_otlp::ExporterBuildError| Error::start(format!("OTLP: {error}"));
    let spans = SpanExporter::builder().with_http().build().map_err(failed)?;
    let metrics = MetricExporter::builder().with_http().build().map_err(failed)?;
    let resource = resource(service);
    let pipeline = Pipeline {
        traces: SdkTracerProvider::builder()
            .with_batch_exporter(spans)
            .with_resource(resource.clone())
            .build(),
        metrics: SdkMeterProvider::builder().with_periodic_exporter(metrics).with_resource(resource).build(),
    };
    global::set_tracer_provider(pipeline.traces.clone());
    global::set_meter_provider(pipeline.metrics.clone());
    Ok(Some(pipeline))
}

/// Returns whether the variables ask for a pipeline; fails where they ask for one that there is not.
pub(crate) fn is_wanted() -> Result<bool, Error> {
    let disabled = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if disabled || ENDPOINTS.into_iter().all(|name| variable(name).is_none()) {
        return Ok(false);
    }
    for name in PROTOCOLS {
        if let Some(protocol) = variable(name).filter(|protocol| protocol != "http/protobuf") {
            return Err(Error::start(format!(
                "{name} is `{protocol}`, and this server speaks OTLP over HTTP alone: write `http/protobuf`"
            )));
        }
    }
    for name in ENDPOINTS {
        if !cfg!(feature = "otlp-tls")
            && variable(name).is_some_and(|endpoint| endpoint.starts_with("https:"))
        {
            return Err(Error::start(format!(
                "{name} is an `https` URL: build with the feature `otlp-tls`, or write `http://`"
            )));
        }
    }
    Ok(true)
}

/// Returns the value of a variable; an empty one counts as not set.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn resource(service: &str) -> Resource {
    let named = variable("OTEL_SERVICE_NAME").is_some()
        || variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|all| all.contains("service.name="));
    let resource = Resource::builder();
    if named { resource.build() } else { resource.with_service_name(service.to_owned()).build() }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        let (done, wait) = mpsc::channel();
        // On threads of their own: what sends blocks, and may hang where it stands in a runtime.
        let (traces, metrics) = (self.traces.clone(), self.metrics.clone());
        let sent = done.clone();
        let last: [Box<dyn FnOnce() + Send>; 2] = [
            Box::new(move || _ = sent.send(traces.shutdown_with_timeout(LAST))),
            Box::new(move || _ = done.send(metrics.shutdown_with_timeout(LAST))),
        ];
        for send in last {
            drop(thread::Builder::new().name("otlp last".to_owned()).spawn(send));
        }
        let until = std::time::Instant::now() + LAST;
        let results: [Result<OTelSdkResult, _>; 2] = std::array::from_fn(|_| {
            wait.recv_timeout(until.saturating_duration_since(std::time::Instant::now()))
        });
        for result in results {
            match result {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the last spans or metrics were not sent"),
                Err(_) => tracing::warn!("the last spans or metrics were not sent within {LAST:?}"),
            }
        }
    }
}
