//! The time series of one kind of operations that ended in one way, or of one kind of sessions.

use mcp_core::profile::{BOUNDARIES, Counter, PLACES, Place};

use super::arrival::Network;
use super::ended::Ending;

const NANOS: f64 = 1e9;

/// Returns the boundaries in seconds.
pub(super) fn boundaries() -> impl Iterator<Item = f64> {
    BOUNDARIES.iter().map(|nanos| *nanos as f64 / NANOS)
}

/// What those of a series have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Labels {
    /// None: they are sessions.
    pub(super) method: Option<&'static str>,
    pub(super) target: Option<&'static str>,
    pub(super) network: Network,
    pub(super) revision: Option<&'static str>,
    pub(super) ending: Ending,
}

impl Labels {
    /// Returns the attributes of the conventions, those that are not set left out.
    pub(super) fn attributes(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let is_tool = self.method == Some("tools/call");
        let target = |wanted: bool| self.target.filter(|_| wanted);
        [
            ("mcp.method.name", self.method),
            ("gen_ai.tool.name", target(is_tool)),
            ("gen_ai.prompt.name", target(!is_tool)),
            ("gen_ai.operation.name", is_tool.then_some("execute_tool")),
            ("error.type", self.ending.error_type()),
            ("rpc.response.status_code", self.ending.status_code()),
            ("network.transport", self.network.transport()),
            ("network.protocol.name", self.network.protocol()),
            ("network.protocol.version", self.network.version()),
            ("mcp.protocol.version", self.revision),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// How many operations or sessions took how long.
pub(super) struct Series {
    #[cfg_attr(
        not(any(test, feature = "http")),
        allow(dead_code, reason = "what reads it is served over HTTP")
    )]
    pub(super) labels: Labels,
    shards: [Shard; PLACES],
    #[cfg(feature = "otel")]
    pub(super) attributes: Box<[opentelemetry::KeyValue]>,
}

/// What the threads of one place have counted, on cache lines of their own.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    buckets: [Counter; BOUNDARIES.len() + 1],
    sum: Counter,
}

/// A series at one moment.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Snapshot {
    /// How many fell into each bucket and none before; the last has no boundary.
    pub(super) buckets: [u64; BOUNDARIES.len() + 1],
    /// In seconds.
    pub(super) sum: f64,
}

impl Series {
    pub(super) fn new(labels: Labels) -> Self {
        Self {
            labels,
            shards: Default::default(),
            #[cfg(feature = "otel")]
            attributes: labels
                .attributes()
                .map(|(name, value)| opentelemetry::KeyValue::new(name, value))
                .collect(),
        }
    }

    /// Adds one that took so many nanoseconds.
    pub(super) fn record(&self, nanos: u64) {
        let Place { index, writer } = Place::mine();
        // One that took as long as a boundary counts below it.
        let bucket = BOUNDARIES.partition_point(|boundary| nanos > *boundary);
        if let Some(shard) = self.shards.get(index)
            && let Some(count) = shard.buckets.get(bucket)
        {
            count.add(writer, 1);
            shard.sum.add(writer, nanos);
        }
    }

    #[cfg_attr(
        not(any(test, feature = "http")),
        allow(dead_code, reason = "what reads it is served over HTTP")
    )]
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let mut nanos = 0;
        for shard in &self.shards {
            for (count, more) in snapshot.buckets.iter_mut().zip(&shard.buckets) {
                *count += more.get();
            }
            nanos += shard.sum.get();
        }
        snapshot.sum = nanos as f64 / NANOS;
        snapshot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_on_a_boundary_counts_below_it() {
        let labels = Labels {
            method: Some("ping"),
            target: None,
            network: Network::Other,
            revision: None,
            ending: Ending::OK,
        };
        let series = Series::new(labels);
        for boundary in BOUNDARIES {
            series.record(boundary);
            series.record(boundary + 1);
        }
        let Snapshot { buckets, sum } = series.snapshot();
        assert_eq!(buckets, [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1]);
        let expected = 2.0 * boundaries().sum::<f64>() + 14e-9;
        assert!((sum - expected).abs() < 1e-9 * expected, "{sum}");
    }

    #[test]
    fn the_boundaries_are_those_of_the_conventions() {
        let expected = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
        assert!(boundaries().eq(expected));
    }
}
