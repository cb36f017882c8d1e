//! What was measured beside the components: the cache, the profiler, the runtime, the process.

use std::fmt;
use std::sync::Weak;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use mcp_core::profile::sql;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;

use crate::measured::Process;
use crate::started::Core;

const NO_EXEMPLAR: Option<&Exemplar<[(&str, &str); 0], f64>> = None;

/// The families of the server as a whole.
pub(super) struct Server {
    core: Weak<Core>,
}

impl Server {
    pub(super) fn new(core: Weak<Core>) -> Self {
        Self { core }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Collector for Server {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let core = self.core.upgrade().ok_or(fmt::Error)?;
        let mut families = Families(encoder);
        about(&mut families, &core)?;
        cache(&mut families, &core)?;
        runtime(&mut families, &core)?;
        process(&mut families)
    }
}

fn about(families: &mut Families<'_>, core: &Core) -> fmt::Result {
    let version = [("version", &*core.version)];
    families.info("mcp_build", "The version of the server", &version)?;
    let profiler = &core.dispatch.profiler;
    families.gauge("mcp_profiler_enabled", "Whether calls are measured", u64::from(profiler.is_enabled()))?;
    let dropped = profiler.dropped();
    let dropped = [
        (["slow_calls"], dropped.slow_calls),
        (["statements"], dropped.statements),
        (["alerts"], dropped.alerts),
        (["active"], dropped.active),
        (["webhooks"], core.unsent.load(Relaxed)),
        (["history"], core.lost_hours()),
    ];
    let help = "What there was no room for";
    families.series(MetricType::Counter, "mcp_profiler_dropped", help, ["what"], &dropped)?;
    families.counter(
        "mcp_profiler_clock_anomalies",
        "Calls that ended before they began, or took longer than an hour",
        profiler.clock_anomalies(),
    )?;
    families.counter(
        "mcp_sql_pool_waits",
        "How often a connection to a database was waited for",
        sql::pool().waits,
    )?;
    families.counter("mcp_sql_unattributed", "SQL statements that no call was found for", sql::unattributed())
}

fn cache(families: &mut Families<'_>, core: &Core) -> fmt::Result {
    let stats = core.dispatch.cache.stats();
    families.gauge("mcp_cache_entries", "Results in memory", stats.entries)?;
    families.gauge("mcp_cache_bytes", "What the results in memory take", stats.bytes)?;
    if stats.levels.is_empty() {
        return Ok(());
    }
    let up = stats.levels.iter().map(|level| ([&*level.level], u64::from(level.up))).collect::<Vec<_>>();
    let help = "Whether a level below memory is used";
    families.series(MetricType::Gauge, "mcp_cache_level_up", help, ["level"], &up)?;
    let requests = stats.levels.iter().flat_map(|level| {
        [("hit", level.hits), ("miss", level.misses), ("failed", level.failures), ("skipped", level.skipped)]
            .map(|(result, count)| ([&*level.level, result], count))
    });
    let requests: Vec<_> = requests.collect();
    let help = "How a level below memory was asked";
    families.series(MetricType::Counter, "mcp_cache_level_requests", help, ["level", "result"], &requests)
}

fn runtime(families: &mut Families<'_>, core: &Core) -> fmt::Result {
    let Some(metrics) = core.runtime.get().map(tokio::runtime::Handle::metrics) else { return Ok(()) };
    let workers = metrics.num_workers();
    let busy: Duration = (0..workers).map(|worker| metrics.worker_total_busy_duration(worker)).sum();
    families.gauge("mcp_runtime_workers", "Threads of the runtime", workers as u64)?;
    families.gauge("mcp_runtime_tasks", "Tasks of the runtime", metrics.num_alive_tasks() as u64)?;
    let depth = metrics.global_queue_depth() as u64;
    families.gauge("mcp_runtime_queue_depth", "Tasks that wait for any worker", depth)?;
    families.counter("mcp_runtime_busy_seconds", "Time in which workers were busy", busy.as_secs_f64())
}

fn process(families: &mut Families<'_>) -> fmt::Result {
    let Process { rss_bytes, cpu_ns, started_s } = Process::read();
    if let Some(bytes) = rss_bytes {
        families.gauge("process_resident_memory_bytes", "Memory of the process", bytes)?;
    }
    if let Some(nanos) = cpu_ns {
        families.counter("process_cpu_seconds", "Processor time of the process", nanos as f64 / 1e9)?;
    }
    if let Some(started) = started_s {
        families.gauge("process_start_time_seconds", "When the process began, since 1970", started)?;
    }
    Ok(())
}

/// Families that are written one after the other.
struct Families<'a>(DescriptorEncoder<'a>);

impl Families<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn counter(&mut self, name: &str, help: &str, value: impl EncodeCounterValue) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        encoder.encode_counter(&value, NO_EXEMPLAR)
    }

    fn info(&mut self, name: &str, help: &str, labels: &[(&str, &str)]) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(&labels)
    }

    /// Writes a family of gauges or of counters.
    fn series<const N: usize>(
        &mut self,
        kind: MetricType,
        name: &str,
        help: &str,
        labels: [&str; N],
        series: &[([&str; N], u64)],
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, kind)?;
        series.iter().try_for_each(|(words, value)| {
            let labels = labelled(labels, *words);
            let mut encoder = encoder.encode_family(&labels)?;
            match kind {
                MetricType::Gauge => encoder.encode_gauge(value),
                _ => encoder.encode_counter(value, NO_EXEMPLAR),
            }
        })
    }
}

fn labelled<'a, const N: usize>(labels: [&'a str; N], words: [&'a str; N]) -> [(&'a str, &'a str); N] {
    std::array::from_fn(|index| (labels[index], words[index]))
}
