//! What is measured beside the calls: the cache, the runtime, the process.

use std::sync::Arc;
use std::time::Duration;

use mcp_core::cache::{Cache, CacheOutcome};
use mcp_core::profile::Profiler;
use serde_json::{Map, Value, json};

use crate::started::Core;

/// How often the profiler looks at what came.
const TICK: Duration = Duration::from_secs(1);

/// After this time the profiler trusts the processor's counter.
#[cfg(feature = "cli")]
const WATCHED: Duration = Duration::from_millis(1_050);

/// Looks after a profiler, in a thread of its own until it is dropped: a runtime that is blocked could not.
pub(crate) fn watch(profiler: &Arc<Profiler>) {
    let profiler = Arc::downgrade(profiler);
    let watching = move || {
        loop {
            std::thread::sleep(TICK);
            let Some(profiler) = profiler.upgrade() else { return };
            profiler.tick();
        }
    };
    let thread = std::thread::Builder::new().name("mcp-profiler".to_owned()).stack_size(256 << 10);
    if let Err(error) = thread.spawn(watching) {
        tracing::warn!(%error, "no thread for the profiler: slow calls are found when a report is asked for");
    }
}

/// Waits until a profiler that nobody watches has compared its clocks, and has it take the quicker one.
#[cfg(feature = "cli")]
pub(crate) async fn calibrated(profiler: &Profiler) {
    if mcp_core::profile::trusts_counter() {
        tokio::time::sleep(WATCHED.saturating_sub(profiler.uptime())).await;
        profiler.tick();
    }
}

/// Returns what the cache did and has.
pub(crate) fn cache(cache: &Cache) -> Value {
    let stats = cache.stats();
    let outcomes = [
        (CacheOutcome::Memory, stats.memory),
        (CacheOutcome::Shared, stats.shared),
        (CacheOutcome::Database, stats.database),
        (CacheOutcome::Coalesced, stats.coalesced),
        (CacheOutcome::Computed, stats.computed),
        (CacheOutcome::Stale, stats.stale),
        (CacheOutcome::Negative, stats.negative),
        (CacheOutcome::Bypass, stats.bypass),
    ];
    let outcomes: Map<_, _> =
        outcomes.into_iter().map(|(outcome, calls)| (outcome.word().to_owned(), calls.into())).collect();
    let mut value = serde_json::to_value(&stats).unwrap_or_default();
    value["outcomes"] = outcomes.into();
    for level in value["levels"].as_array_mut().into_iter().flatten() {
        let state = if level["up"] == true { "up" } else { "down" };
        level["name"] = level["level"].clone();
        level["state"] = state.into();
        level["errors"] = level["failures"].clone();
    }
    value
}

/// Returns what the runtime and the process use.
pub(crate) fn runtime(core: &Core) -> Value {
    let active: u64 = core.dispatch.profiler.components().iter().map(|component| component.active()).sum();
    let process = Process::read();
    let mut value = json!({
        "active_calls": active,
        "rss_bytes": process.rss_bytes,
        "cpu_ns": process.cpu_ns,
    });
    #[cfg(feature = "http")]
    {
        value["connections"] = core.connections.load(std::sync::atomic::Ordering::Relaxed).into();
        value["sessions"] = core.sessions.known().into();
    }
    if let Some(metrics) = core.runtime.get().map(tokio::runtime::Handle::metrics) {
        let workers = metrics.num_workers();
        let busy: Duration = (0..workers).map(|worker| metrics.worker_total_busy_duration(worker)).sum();
        value["workers"] = workers.into();
        value["tasks"] = metrics.num_alive_tasks().into();
        value["queue"] = metrics.global_queue_depth().into();
        value["busy_ns"] = u64::try_from(busy.as_nanos()).unwrap_or(u64::MAX).into();
    }
    value
}

/// What a process uses, where the system tells.
#[derive(Default)]
pub(crate) struct Process {
    pub(crate) rss_bytes: Option<u64>,
    pub(crate) cpu_ns: Option<u64>,
    /// When it began, in seconds since 1970.
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "metrics are served over HTTP"))]
    pub(crate) started_s: Option<f64>,
}

impl Process {
    #[cfg(target_os = "linux")]
    pub(crate) fn read() -> Self {
        /// Ticks of `/proc`: `USER_HZ` is 100 on every Linux, see proc(5).
        const TICK_NS: u64 = 10_000_000;
        const TICKS_PER_SECOND: f64 = 100.0;

        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let rss = status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        });
        // The second field is a name in parentheses, which may hold spaces.
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let cpu = ticks(11).zip(ticks(12)).map(|(user, system)| (user + system) * TICK_NS);
        let system = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let booted = system.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
        let started = booted.zip(ticks(19)).map(|(booted, ticks)| booted + ticks as f64 / TICKS_PER_SECOND);
        Self { rss_bytes: rss.map(|kib| kib << 10), cpu_ns: cpu, started_s: started }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn read() -> Self {
        Self::default()
    }
}
