//! What a server measured, in the form that reports, pages and other programs read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::histogram::Counts;
use super::outcome::Outcome;
use super::sql::{PoolFigures, State, StatementFigures, unattributed};
use super::totals::{PHASES, Sum, Totals};
use crate::cache::CacheOutcome;

/// What a server measured, at one moment; all times are nanoseconds where their name says nothing else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub struct Report {
    pub server: String,
    pub version: String,
    /// Tells this run of the server from others.
    pub instance: String,
    pub pid: u32,
    pub started_ms: u64,
    pub at_ms: u64,
    /// Whether calls are measured.
    pub profiling: bool,
    /// The share of calls whose details are taken.
    pub sample_rate: f64,
    /// Whether the program installs the [`CountingAllocator`](super::CountingAllocator).
    pub counts_allocations: bool,
    pub sql: SqlReport,
    pub components: Vec<ComponentReport>,
    /// The newest first.
    pub slow: Vec<SlowCall>,
    pub statements: Vec<StatementFigures>,
    pub pool: PoolFigures,
    pub findings: Vec<Finding>,
    /// What the cache did; of the server.
    pub cache: Value,
    /// What the runtime and the process use; of the server.
    pub runtime: Value,
    pub dropped: Dropped,
}

/// Whether SQL statements are seen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct SqlReport {
    /// `on`, `off` or `blocked`.
    pub state: String,
    /// By what, and what to do.
    pub note: Option<String>,
    /// How many statements of the process belonged to no call.
    #[serde(default)]
    pub unattributed: u64,
}

impl SqlReport {
    pub(super) fn of(state: State) -> Self {
        Self {
            state: state.word().to_owned(),
            note: state.note().map(ToOwned::to_owned),
            unattributed: unattributed(),
        }
    }
}

/// What there was no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Dropped {
    pub slow_calls: u64,
    pub statements: u64,
    pub alerts: u64,
    pub active: u64,
}

/// What was measured of one component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ComponentReport {
    pub kind: String,
    pub name: String,
    /// Where it is declared.
    pub place: String,
    /// How many calls are under way.
    pub active: u64,
    /// From which time on a call is slow.
    pub slow_ns: u64,
    /// By [`Span::word`](super::Span::word).
    pub windows: BTreeMap<String, Window>,
    /// The calls of each of the last 60 slots of 5 s, oldest first.
    pub spark: Vec<u64>,
}

/// What was measured of one component in one span of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Window {
    pub seconds: f64,
    pub calls: u64,
    /// By [`Outcome::word`]; those that never happened are left out.
    pub outcomes: BTreeMap<String, u64>,
    /// By [`CacheOutcome::word`]; ways never gone are left out.
    pub cache: BTreeMap<String, u64>,
    /// Of all calls that ended well.
    pub wall: Option<Latency>,
    /// Of those without a run of their own.
    pub hits: Option<Latency>,
    /// Of those with a run of their own.
    pub runs: Option<Latency>,
    /// Of those that did not end well.
    pub failed: Option<Latency>,
    pub phases_ns: BTreeMap<String, u64>,
    pub busy_ns: u64,
    pub polls: u64,
    pub longest_poll_ns: u64,
    /// Of the calls whose processor time was taken, and their busy time.
    pub cpu_ns: u64,
    pub cpu_busy_ns: u64,
    /// `None` where the program does not count.
    pub allocated_bytes: Option<u64>,
    pub allocations: Option<u64>,
    pub queries: u64,
    pub query_ns: u64,
    pub slow_queries: u64,
    pub repeated_queries: u64,
    pub slow_calls: u64,
}

/// How long calls took, in nanoseconds; percentiles are within 1/64.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Latency {
    pub calls: u64,
    pub mean_ns: u64,
    pub p50_ns: u64,
    pub p90_ns: u64,
    /// `None` of fewer than 20 calls, which have no such rank.
    pub p95_ns: Option<u64>,
    /// `None` of fewer than 100.
    pub p99_ns: Option<u64>,
    pub max_ns: u64,
}

impl Latency {
    /// Returns the percentiles of what was counted; `None` of nothing.
    pub fn of(counts: &Counts) -> Option<Self> {
        let calls = counts.count();
        Some(Self {
            calls,
            mean_ns: counts.mean(),
            p50_ns: counts.quantile(500)?,
            p90_ns: counts.quantile(900)?,
            p95_ns: counts.quantile(950).filter(|_| calls >= 20),
            p99_ns: counts.quantile(990).filter(|_| calls >= 100),
            max_ns: counts.max,
        })
    }
}

impl Window {
    /// Returns the report of what was measured in so many seconds.
    pub fn of(totals: &Totals, seconds: f64, counts_allocations: bool) -> Self {
        let counted = |sum| counts_allocations.then(|| totals.sum(sum));
        let outcomes = Outcome::ALL.map(|outcome| (outcome.word().to_owned(), totals.ended(outcome)));
        let cache = CacheOutcome::ALL.map(|cache| (cache.word().to_owned(), totals.served(cache)));
        Self {
            seconds,
            calls: totals.calls(),
            outcomes: outcomes.into_iter().filter(|(_, calls)| *calls > 0).collect(),
            cache: cache.into_iter().filter(|(_, calls)| *calls > 0).collect(),
            wall: Latency::of(&totals.wall()),
            hits: Latency::of(&totals.hits),
            runs: Latency::of(&totals.runs),
            failed: Latency::of(&totals.failed),
            phases_ns: PHASES.iter().map(|(sum, name)| ((*name).to_owned(), totals.sum(*sum))).collect(),
            busy_ns: totals.sum(Sum::Busy),
            polls: totals.sum(Sum::Polls),
            longest_poll_ns: totals.longest_poll,
            cpu_ns: totals.sum(Sum::Cpu),
            cpu_busy_ns: totals.sum(Sum::CpuBusy),
            allocated_bytes: counted(Sum::Bytes),
            allocations: counted(Sum::Allocations),
            queries: totals.sum(Sum::Queries),
            query_ns: totals.sum(Sum::QueryTime),
            slow_queries: totals.sum(Sum::SlowQueries),
            repeated_queries: totals.sum(Sum::Repeated),
            slow_calls: totals.sum(Sum::SlowCalls),
        }
    }
}

/// A call that is worth a look: slow, failed, or written in a way that will be slow.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub struct SlowCall {
    pub id: String,
    pub kind: String,
    pub name: String,
    pub place: String,
    /// When it ended, or was seen to hang.
    pub at_ms: u64,
    /// `slow`, `failed`, `repeated_sql`, `blocks` or `hangs`.
    pub why: String,
    /// `None`: it runs still.
    pub outcome: Option<String>,
    pub cache: Option<String>,
    pub wall_ns: u64,
    pub busy_ns: u64,
    /// `None` where it was not taken.
    pub cpu_ns: Option<u64>,
    /// The busy time that `cpu_ns` is of.
    pub cpu_busy_ns: u64,
    pub polls: u64,
    pub longest_poll_ns: u64,
    pub allocated_bytes: Option<u64>,
    pub allocations: Option<u64>,
    pub phases: Vec<Part>,
    pub checkpoints: Vec<CheckpointReport>,
    pub steps: Vec<Part>,
    pub queries: Vec<QueryReport>,
    pub repeated: Vec<RepeatedReport>,
    pub children: Vec<ChildReport>,
    pub dropped: DroppedNotes,
    pub trace_id: Option<String>,
}

/// A part of a call, with nanoseconds since the call began.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Part {
    pub name: String,
    pub start_ns: u64,
    pub took_ns: u64,
}

/// What had been used when a call came to a checkpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct CheckpointReport {
    pub label: String,
    pub value: Option<f64>,
    pub at_ns: u64,
    pub busy_ns: u64,
    pub allocated_bytes: Option<u64>,
    pub queries: u64,
}

/// One SQL statement of a call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct QueryReport {
    pub fingerprint: String,
    pub start_ns: u64,
    pub took_ns: u64,
    pub rows: u64,
    /// The checkpoint that it came after.
    pub after: Option<String>,
}

/// A statement that a call repeated.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct RepeatedReport {
    pub fingerprint: String,
    pub times: u64,
    pub total_ns: u64,
    pub after: Option<String>,
}

/// A component that a call called.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ChildReport {
    pub kind: String,
    pub name: String,
    pub start_ns: u64,
    pub took_ns: u64,
}

/// What of a call there was no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct DroppedNotes {
    pub checkpoints: u64,
    pub queries: u64,
}

/// Something that should be changed, with where and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub struct Finding {
    /// `blocks_the_runtime`, `burns_the_processor`, `waits`, `repeated_sql`, `slow_sql`, `many_queries`, `hangs` or `panics`.
    pub kind: String,
    /// Kind and name of the component.
    pub component: String,
    pub place: String,
    /// The checkpoint after which it was.
    pub after: Option<String>,
    pub says: String,
    pub fix: String,
    pub times: u64,
    pub last_ms: u64,
    /// The [`SlowCall`] that shows it.
    pub call: Option<String>,
}

/// How a component did over time; lists are of the same length, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Series {
    pub step_s: u64,
    pub end_ms: u64,
    pub calls: Vec<u64>,
    pub failed: Vec<u64>,
    pub p50_ns: Vec<Option<u64>>,
    pub p95_ns: Vec<Option<u64>>,
    pub p99_ns: Vec<Option<u64>>,
    pub outcomes: BTreeMap<String, Vec<u64>>,
}

impl Series {
    /// Returns the series of slots of so many seconds; a slot that was not there is a gap.
    pub fn of(slots: &[Option<&Totals>], step_s: u64, end_ms: u64) -> Self {
        let mut series = Self { step_s, end_ms, ..Self::default() };
        for (index, slot) in slots.iter().enumerate() {
            let wall = slot.map(Totals::wall).unwrap_or_default();
            series.calls.push(slot.map_or(0, Totals::calls));
            let failed = Outcome::ALL.into_iter().filter(|outcome| outcome.is_failure());
            series.failed.push(slot.map_or(0, |slot| failed.map(|outcome| slot.ended(outcome)).sum()));
            for (list, per_mille) in
                [(&mut series.p50_ns, 500), (&mut series.p95_ns, 950), (&mut series.p99_ns, 990)]
            {
                list.push(wall.quantile(per_mille));
            }
            for outcome in Outcome::ALL {
                let calls = slot.map_or(0, |slot| slot.ended(outcome));
                if calls > 0 {
                    let list = series.outcomes.entry(outcome.word().to_owned()).or_default();
                    list.resize(index, 0);
                    list.push(calls);
                }
            }
        }
        series.outcomes.values_mut().for_each(|list| list.resize(slots.len(), 0));
        series
    }
}
