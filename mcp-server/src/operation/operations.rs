//! The operations of one server, and the table of their series.

#[cfg(feature = "otel")]
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use mcp_core::component::BoxFuture;
use mcp_core::profile;
use mcp_core::registry::Registry;

use super::arrival::{Arrival, Network};
use super::asked::{Asked, Method, Revision, Target};
use super::ended::{Ended, Ending};
use super::series::{Labels, Series};
use super::session::Sessions;
#[cfg(feature = "otel")]
use super::telemetry::{Spanned, Telemetry};

/// How many series there are at most, as their readers keep each for long.
const MOST_SERIES: usize = 1_000;

/// What stands for all that there is no room for.
const OTHER: &str = "<other>";

/// How many targets there are that no component has: none, and two unknown ones.
const UNKNOWN_TARGETS: usize = 2;

/// What is known of the operations of a server.
///
/// A series is made by the first operation that it counts; finding it again is three reads.
pub(crate) struct Operations {
    /// Whether they are counted and timed.
    pub(super) counted: bool,
    /// By method, then by component, then the tools and the prompts that there are not.
    slots: Box<[Slot]>,
    names: Box<[&'static str]>,
    other: OnceLock<Box<Series>>,
    made: AtomicUsize,
    pub(super) sessions: Sessions,
    #[cfg(feature = "otel")]
    pub(super) telemetry: Arc<Telemetry>,
}

/// What has one method and one target: by network and revision, and then by how it ended.
type Slot = OnceLock<Box<[Way; Network::COUNT * Revision::COUNT]>>;
type Way = OnceLock<Box<[OnceLock<Box<Series>>; Ending::COUNT]>>;

/// An operation that has begun, with nothing borrowed.
pub(crate) struct Begun {
    at: u64,
    slot: usize,
    method: Method,
    network: Network,
    revision: Revision,
    #[cfg(feature = "otel")]
    span: Spanned,
}

/// An operation under way: it counts when it is finished, or is dropped because nobody waits any more.
#[must_use = "an operation ends where this does"]
pub(crate) struct Operation<'a> {
    operations: &'a Operations,
    begun: Option<Begun>,
}

impl Operations {
    /// Gets ready for a server of these components; `counted`: whether its operations are timed.
    pub(crate) fn new(registry: &Registry, counted: bool, #[cfg(feature = "otel")] local: bool) -> Self {
        let entries = registry.entries();
        let slots = Method::COUNT + entries.len() + UNKNOWN_TARGETS;
        Self {
            counted: counted && cfg!(any(test, feature = "http", feature = "otel")),
            slots: std::iter::repeat_with(Slot::new).take(slots).collect(),
            names: entries.iter().map(|entry| entry.def.name).collect(),
            other: OnceLock::new(),
            made: AtomicUsize::new(0),
            sessions: Sessions::default(),
            #[cfg(feature = "otel")]
            telemetry: Arc::new(Telemetry::of_process(local)),
        }
    }

    /// Begins an operation with its message.
    pub(crate) fn begin(&self, arrival: &Arrival, asked: &Asked<'_>) -> Begun {
        Begun {
            at: arrival.at,
            slot: self.slot(asked),
            method: asked.method,
            network: arrival.network,
            revision: asked.revision,
            #[cfg(feature = "otel")]
            span: self.telemetry.begin(arrival, asked),
        }
    }

    /// Has an operation under way from here on.
    pub(crate) fn operation(&self, begun: Begun) -> Operation<'_> {
        Operation { operations: self, begun: Some(begun) }
    }

    /// Returns how many sessions are under way.
    #[cfg(feature = "http")]
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.open()
    }

    /// Has a run go on in the context of who called for it, and what it notes told in the call's span.
    #[cfg(feature = "otel")]
    pub(crate) fn carried<T: 'static>(&self, run: BoxFuture<'static, T>) -> BoxFuture<'static, T> {
        super::run::carried(&self.telemetry, run)
    }

    /// Has a run go on in the context of who called for it.
    #[cfg(not(feature = "otel"))]
    #[expect(clippy::unused_self, reason = "has the form of the version with spans")]
    pub(crate) fn carried<T>(&self, run: BoxFuture<'static, T>) -> BoxFuture<'static, T> {
        run
    }

    fn slot(&self, asked: &Asked<'_>) -> usize {
        let components = Method::COUNT;
        match asked.target {
            Target::None => asked.method.index(),
            Target::Component(entry) => components + entry.number,
            Target::Unknown => components + self.names.len() + usize::from(!asked.method.is_tool_call()),
        }
    }

    fn target(&self, slot: usize) -> Option<&'static str> {
        let component = slot.checked_sub(Method::COUNT)?;
        Some(self.names.get(component).copied().unwrap_or(Method::OTHER))
    }

    /// Finds the series of what has ended; makes it where it is the first.
    fn series(&self, begun: &Begun, ending: Ending) -> Option<&Series> {
        let &Begun { slot, method, network, revision, .. } = begun;
        let ways = self.slots.get(slot)?.get_or_init(|| Box::new([const { Way::new() }; _]));
        let way = ways.get(network as usize * Revision::COUNT + revision.index())?;
        let endings = way.get_or_init(|| Box::new([const { OnceLock::new() }; _]));
        let series = endings.get(ending.index())?;
        if let Some(series) = series.get() {
            return Some(series);
        }
        let labels = Labels {
            method: Some(method.name()),
            target: self.target(slot),
            network,
            revision: revision.name(),
            ending,
        };
        let has_room =
            self.made.fetch_update(Relaxed, Relaxed, |made| (made < MOST_SERIES).then_some(made + 1));
        Some(match has_room {
            Ok(_) => series.get_or_init(|| Box::new(Series::new(labels))),
            Err(_) => self.other.get_or_init(|| {
                let (network, ending) = (Network::Other, Ending::OK);
                let method = Some(OTHER);
                Box::new(Series::new(Labels { method, target: None, network, revision: None, ending }))
            }),
        })
    }

    /// Returns all series that there are.
    #[cfg(any(test, feature = "http"))]
    pub(super) fn all(&self) -> impl Iterator<Item = &Series> {
        let ways = self.slots.iter().filter_map(OnceLock::get).flat_map(|ways| ways.iter());
        let endings = ways.filter_map(OnceLock::get).flat_map(|endings| endings.iter());
        endings.chain([&self.other]).filter_map(OnceLock::get).map(|series| &**series)
    }

    fn finish(&self, mut begun: Begun, ended: &Ended) {
        let nanos = profile::now().saturating_sub(begun.at);
        if let Some(settled) = &ended.revision {
            begun.revision = Revision::of(Some(settled.as_str()));
        }
        if self.counted
            && let Some(series) = self.series(&begun, ended.ending)
        {
            series.record(nanos);
            #[cfg(feature = "otel")]
            self.telemetry.record(nanos, series);
        }
        #[cfg(feature = "otel")]
        begun.span.end(begun.revision, ended);
    }
}

impl Operation<'_> {
    /// Has a future run in the context of the operation.
    #[cfg(feature = "otel")]
    pub(crate) fn within<F: Future>(&self, future: F) -> opentelemetry::context::WithContext<F> {
        use opentelemetry::context::FutureExt as _;

        future.with_context(self.begun.as_ref().map(|begun| begun.span.context()).unwrap_or_default())
    }

    /// Has a future run in the context of the operation.
    #[cfg(not(feature = "otel"))]
    #[expect(clippy::unused_self, reason = "has the form of the version with spans")]
    pub(crate) fn within<F: Future>(&self, future: F) -> F {
        future
    }

    /// Ends the operation with its answer.
    pub(crate) fn finish(mut self, ended: &Ended) {
        if let Some(begun) = self.begun.take() {
            self.operations.finish(begun, ended);
        }
    }

    /// Ends the operation without one.
    #[cold]
    fn cancelled(&mut self) {
        if let Some(begun) = self.begun.take() {
            self.operations.finish(begun, &Ending::CANCELLED.into());
        }
    }
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        if self.begun.is_some() {
            self.cancelled();
        }
    }
}

impl std::fmt::Debug for Operations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operations").field("series", &self.made).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use mcp_core::registry::Registry;

    use super::*;

    fn operations() -> Operations {
        Operations::new(
            &Registry::new([]).unwrap(),
            true,
            #[cfg(feature = "otel")]
            false,
        )
    }

    #[test]
    fn an_operation_counts_once_however_it_ends() {
        let operations = operations();
        let begin = || {
            let asked = Asked::new("tools/list", Some("2026-07-28"));
            operations.operation(operations.begin(&Arrival::now(Network::Pipe), &asked))
        };
        begin().finish(&Ending::OK.into());
        begin().finish(&Ending::OK.into());
        drop(begin());
        let count = |ending: Ending| {
            let of_ending = operations.all().filter(|series| series.labels.ending == ending);
            of_ending.map(|series| series.snapshot().buckets.iter().sum::<u64>()).sum::<u64>()
        };
        assert_eq!((count(Ending::OK), count(Ending::CANCELLED)), (2, 1));
    }

    #[test]
    fn what_there_is_no_room_for_counts_as_other() {
        let operations = operations();
        operations.made.store(MOST_SERIES, Relaxed);
        for method in ["tools/list", "ping"] {
            let begun = operations.begin(&Arrival::now(Network::Pipe), &Asked::new(method, None));
            operations.operation(begun).finish(&Ending::OK.into());
        }
        let all: Vec<_> = operations.all().collect();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].labels.attributes().collect::<Vec<_>>(), [("mcp.method.name", OTHER)]);
        assert_eq!(all[0].snapshot().buckets.iter().sum::<u64>(), 2);
    }

    /// Prints what an operation costs: `cargo test --release -p mcp-server -- --ignored --nocapture costs`.
    #[test]
    #[ignore = "a measurement"]
    fn an_operation_costs_so_much() {
        const TIMES: u32 = 2_000_000;
        let operations = operations();
        // The clock trusts the processor's counter after a second.
        let profiler = mcp_core::profile::Profiler::new(&Registry::new([]).unwrap(), Default::default());
        std::thread::sleep(std::time::Duration::from_millis(1100));
        profiler.tick();
        for _ in 0..3 {
            let begun = std::time::Instant::now();
            for _ in 0..TIMES {
                let asked = Asked::new(std::hint::black_box("tools/call"), Some("2026-07-28"));
                let begun = operations.begin(&Arrival::now(Network::Pipe), &asked);
                operations.operation(begun).finish(&Ending::OK.into());
            }
            let each = begun.elapsed() / TIMES;
            let begun = std::time::Instant::now();
            for _ in 0..TIMES {
                std::hint::black_box(profile::now());
            }
            println!(
                "{each:?} an operation, {:?} of it for each of two looks at the clock",
                begun.elapsed() / TIMES
            );
        }
    }
}
