//! The profiler of a server: what all its components are measured with.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::active::Active;
use super::alerts::{Alert, Alerts, Sink};
use super::allocator::counts_allocations;
use super::call::Call;
use super::findings::Findings;
use super::measured::Measured;
use super::report::{ComponentReport, Dropped, Finding, Report, Series, SlowCall, SqlReport, Window};
use super::slow::{COMPONENTS, unix_ms};
use super::totals::Totals;
use super::windows::{COARSE, FINE, SLOTS, Span};
use super::{sql, ticks};
use crate::registry::{Entry, Registry};

/// How many calls wait at most to be looked at.
const INBOX: usize = 256;

/// What a profiler does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProfilerOptions {
    /// Whether calls are measured; [`Profiler::set_enabled`] changes it.
    pub enabled: bool,
    /// The share of calls whose processor time is taken: a 64th of it where a component is quick, below
    /// 50 µs, and all calls of a component that is not; 0: of none.
    pub sample_rate: f64,
    /// From which time on a call is slow, where its component says nothing.
    pub slow: Duration,
    /// A call is slow as well that takes so many times the 95th percentile of the last hour, and 50 ms; 0: never.
    pub slow_factor: f64,
    /// From which time on a statement is slow; sqlx tells the whole process of statements, so the last server's holds.
    pub slow_query: Duration,
    /// From how many equal statements on a call repeats itself.
    pub repeated: u32,
    /// Tells which trace the thread works for; asked of calls that are kept, where their run does not know.
    pub trace: Option<fn() -> Option<[u8; 16]>>,
}

impl Default for ProfilerOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            sample_rate: 0.1,
            slow: Duration::from_secs(1),
            slow_factor: 0.0,
            slow_query: Duration::from_millis(100),
            repeated: 5,
            trace: None,
        }
    }
}

/// What measures the calls of one server; a component takes it as `profiler: Dep<Profiler>`.
pub struct Profiler {
    pub(super) shared: Arc<Shared>,
    measured: Vec<Arc<Measured>>,
    begun: Instant,
    started_ms: u64,
    instance: String,
    ticked: Mutex<Ticked>,
    alerts: Mutex<Alerts>,
}

/// What was done at the last ticks.
#[derive(Default)]
struct Ticked {
    slots: u64,
}

/// What the components of a server share.
pub(super) struct Shared {
    pub(super) options: ProfilerOptions,
    /// Tells the profilers of a process apart.
    pub(super) number: u32,
    enabled: AtomicBool,
    /// The sampled share, in units of 2^-32.
    rate: AtomicU32,
    pub(super) active: Active,
    ids: AtomicU64,
    keeping: AtomicU64,
    pub(super) dropped_slow: AtomicU64,
    dropped_alerts: AtomicU64,
    clock_anomalies: AtomicU64,
    inbox: Mutex<Vec<Arc<SlowCall>>>,
    findings: Mutex<Findings>,
}

impl Shared {
    pub(super) fn next_id(&self) -> String {
        format!("{:x}", self.ids.fetch_add(1, Relaxed))
    }

    /// Counts a time that no clock should tell.
    #[cold]
    pub(super) fn note_clock(&self) {
        self.clock_anomalies.fetch_add(1, Relaxed);
    }

    /// Returns whether one component more may keep calls.
    pub(super) fn may_keep(&self) -> bool {
        let may = self
            .keeping
            .fetch_update(Relaxed, Relaxed, |kept| (kept < COMPONENTS).then_some(kept + 1))
            .is_ok();
        if !may {
            self.dropped_slow.fetch_add(1, Relaxed);
        }
        may
    }

    /// Hands a call that was caught to those who look at such.
    pub(super) fn tell(&self, call: Arc<SlowCall>) {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        if inbox.len() < INBOX {
            inbox.push(call);
        } else {
            self.dropped_alerts.fetch_add(1, Relaxed);
        }
    }

    /// Decides whether the processor time of a call is taken.
    ///
    /// Of a component that is quick, the question takes longer than the work: a 64th of the share will do.
    pub(super) fn samples(&self, is_quick: bool) -> bool {
        let rate = self.rate.load(Relaxed);
        rate > 0 && (!is_quick || super::chance::bits() <= rate / 64)
    }
}

impl Profiler {
    /// Creates the profiler of the components of a server.
    pub fn new(registry: &Registry, options: ProfilerOptions) -> Self {
        static NUMBERS: AtomicU32 = AtomicU32::new(1);

        // The clock begins to be watched.
        ticks::now();
        let started_ms = unix_ms();
        sql::statements().set_slow(options.slow_query);
        let number = NUMBERS.fetch_add(1, Relaxed);
        let shared = Arc::new(Shared {
            number,
            enabled: AtomicBool::new(options.enabled),
            rate: AtomicU32::new((options.sample_rate.clamp(0.0, 1.0) * f64::from(u32::MAX)) as u32),
            active: Active::default(),
            ids: AtomicU64::new(u64::from(super::chance::bits() & 0xffff) << 16),
            keeping: AtomicU64::new(0),
            dropped_slow: AtomicU64::new(0),
            dropped_alerts: AtomicU64::new(0),
            clock_anomalies: AtomicU64::new(0),
            inbox: Mutex::default(),
            findings: Mutex::default(),
            options,
        });
        let numbered = (0_u32..).zip(registry.entries());
        let measured =
            numbered.map(|(index, entry)| Arc::new(Measured::new(entry.def, index, Arc::clone(&shared))));
        Self {
            measured: measured.collect(),
            shared,
            begun: Instant::now(),
            started_ms,
            instance: format!("{:08x}", super::chance::bits() ^ std::process::id()),
            ticked: Mutex::default(),
            alerts: Mutex::default(),
        }
    }

    /// Returns whether calls are measured.
    pub fn is_enabled(&self) -> bool {
        self.shared.enabled.load(Relaxed)
    }

    /// Begins to measure calls, or ends it; a call that is under way keeps to what it began with.
    pub fn set_enabled(&self, enabled: bool) {
        self.shared.enabled.store(enabled, Relaxed);
    }

    /// Begins to measure a call of a component; `None` where calls are not measured.
    pub fn call(&self, entry: &Entry) -> Option<Call<'_>> {
        if !self.is_enabled() || !entry.def.profile {
            return None;
        }
        self.measured.get(entry.number).map(Call::begin)
    }

    /// Returns what was measured of each component.
    pub fn components(&self) -> &[Arc<Measured>] {
        &self.measured
    }

    /// Returns what was measured of one component.
    pub fn component(&self, kind: &str, name: &str) -> Option<&Arc<Measured>> {
        self.measured.iter().find(|measured| measured.def.name == name && measured.def.kind.word() == kind)
    }

    /// Adds who is told of calls that are worth a look.
    pub fn alert(&self, sink: Box<dyn Sink>) {
        self.alerts().add(sink);
    }

    /// Does what is to be done from time to time: call it every second, from a thread of its own.
    ///
    /// It ends slots of time, finds calls that hang, and tells of calls that are worth a look.
    pub fn tick(&self) {
        ticks::calibrate();
        let now = self.begun.elapsed();
        let slots = (now.as_millis() / FINE.as_millis()) as u64;
        let mut ticked = self.ticked.lock().unwrap_or_else(PoisonError::into_inner);
        if slots > ticked.slots {
            ticked.slots = slots;
            self.measured.iter().for_each(|measured| measured.advance(now));
        }
        drop(ticked);
        self.look_for_hangs();
        self.settle();
        self.tell();
    }

    /// Looks at the calls that were caught since it was last done.
    fn settle(&self) {
        let inbox = std::mem::take(&mut *self.shared.inbox.lock().unwrap_or_else(PoisonError::into_inner));
        for call in inbox {
            let mut findings = self.shared.findings.lock().unwrap_or_else(PoisonError::into_inner);
            let found = findings.add(&call);
            drop(findings);
            self.alerts().take(Alert { call, found }, self.begun.elapsed());
        }
    }

    /// Tells of what is worth it; no lock is held meanwhile, as whoever is told may ask for a report.
    fn tell(&self) {
        let (mut sinks, waiting) = self.alerts().leave();
        for (alert, suppressed) in waiting {
            alert.log(suppressed);
            // A sink that panics has had its last alert, and the profiler goes on.
            sinks.retain(|sink| catch_unwind(AssertUnwindSafe(|| sink.alert(&alert, suppressed))).is_ok());
        }
        self.alerts().back(sinks);
    }

    fn alerts(&self) -> std::sync::MutexGuard<'_, Alerts> {
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what was found in calls, the newest first.
    pub fn findings(&self) -> Vec<Finding> {
        self.settle();
        self.shared.findings.lock().unwrap_or_else(PoisonError::into_inner).all()
    }

    /// Returns the calls that are kept, the newest first.
    pub fn slow_calls(&self) -> Vec<Arc<SlowCall>> {
        let mut calls: Vec<_> = self.measured.iter().flat_map(|measured| measured.slow_calls()).collect();
        calls.sort_by_key(|call| std::cmp::Reverse(call.at_ms));
        calls
    }

    /// Returns what was measured; `cache` and `runtime` are left to the server.
    pub fn report(&self, server: &str, version: &str) -> Report {
        let findings = self.findings();
        let now = self.begun.elapsed();
        let components = self.measured.iter().filter(|measured| !measured.is_untouched());
        let statements = sql::statements();
        Report {
            server: server.to_owned(),
            version: version.to_owned(),
            instance: self.instance.clone(),
            pid: std::process::id(),
            started_ms: self.started_ms,
            at_ms: unix_ms(),
            profiling: self.is_enabled(),
            sample_rate: self.shared.options.sample_rate,
            counts_allocations: counts_allocations(),
            sql: SqlReport::of(&sql::state()),
            components: components.map(|measured| measured.report(now)).collect(),
            slow: self.slow_calls().iter().take(100).map(|call| SlowCall::clone(call)).collect(),
            statements: statements.figures(),
            pool: sql::pool(),
            findings,
            cache: serde_json::Value::Null,
            runtime: serde_json::Value::Null,
            dropped: self.dropped(),
            clock_anomalies: self.clock_anomalies(),
        }
    }

    /// Returns how many calls ended before they began, or took longer than an hour.
    pub fn clock_anomalies(&self) -> u64 {
        self.shared.clock_anomalies.load(Relaxed)
    }

    /// Returns what there was no room for; `history` is left to the server.
    pub fn dropped(&self) -> Dropped {
        Dropped {
            slow_calls: self.shared.dropped_slow.load(Relaxed),
            statements: sql::statements().dropped(),
            alerts: self.shared.dropped_alerts.load(Relaxed),
            active: self.shared.active.dropped(),
            history: 0,
        }
    }

    /// Returns how a component did in the last five minutes, and in the last hour.
    pub fn series(&self, measured: &Measured) -> (Series, Series) {
        let series = |length: Duration| {
            let windows = measured.windows.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(windows) = windows.as_ref() else {
                return Series::of(&[None; SLOTS], length.as_secs(), self.started_ms);
            };
            let (slots, end) = windows.slots(length);
            let end = self.started_ms.saturating_add(u64::try_from(end.as_millis()).unwrap_or(u64::MAX));
            Series::of(&slots, length.as_secs(), end)
        };
        (series(FINE), series(COARSE))
    }

    /// Returns how long the profiler has been there.
    pub fn uptime(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Returns what tells this run of the server from others.
    pub fn instance(&self) -> &str {
        &self.instance
    }
}

impl Measured {
    fn is_untouched(&self) -> bool {
        self.totals().calls() == 0 && self.active() == 0
    }

    /// Ends a slot of time.
    fn advance(&self, now: Duration) {
        let totals = self.totals();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.is_none() && totals.calls() == 0 {
            return;
        }
        let windows = windows.get_or_insert_default();
        windows.advance(now, totals.clone(), self.recent_poll.take());
        let factor = self.shared.options.slow_factor;
        if factor > 0.0 {
            let (hour, _) = windows.window(Span::Hour, now, &totals, 0);
            // Of runs: what memory answers says nothing of them.
            self.set_usual(hour.runs.quantile(950).filter(|_| hour.runs.count() >= 100), factor);
        }
    }

    /// Returns the longest poll since the last time that this was asked, to within a slot.
    #[cfg(feature = "redis")]
    pub(super) fn take_longest_poll(&self) -> u64 {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = windows.as_mut().map_or(0, |windows| windows.take_longest_poll());
        slots.max(self.recent_poll.get())
    }

    /// Returns what was measured in a span of time, and how long the span is.
    pub fn window(&self, span: Span, now: Duration) -> (Totals, Duration) {
        let totals = self.totals();
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        match windows.as_ref() {
            Some(windows) => windows.window(span, now, &totals, self.recent_poll.get()),
            None => (totals, span.length().map_or(now, |length| now.min(length))),
        }
    }

    /// Returns the report of this component.
    pub fn report(&self, now: Duration) -> ComponentReport {
        let counts = counts_allocations();
        let windows: HashMap<_, _> = Span::ALL
            .into_iter()
            .map(|span| {
                let (totals, length) = self.window(span, now);
                (span.word().to_owned(), Window::of(&totals, length.as_secs_f64(), counts))
            })
            .collect();
        let slots = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let spark = slots
            .as_ref()
            .map(|windows| windows.slots(FINE).0.iter().map(|slot| slot.map_or(0, Totals::calls)).collect());
        ComponentReport {
            kind: self.def.kind.word().to_owned(),
            name: self.def.name.to_owned(),
            place: self.def.place.to_string(),
            active: self.active(),
            slow_ns: self.limit(),
            windows: windows.into_iter().collect(),
            spark: spark.unwrap_or_else(|| vec![0; SLOTS]),
        }
    }
}
