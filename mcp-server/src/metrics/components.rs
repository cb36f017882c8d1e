//! What was measured of the components.

use std::fmt;
use std::sync::Weak;

use mcp_core::cache::CacheOutcome;
use mcp_core::profile::{COMPONENT_BOUNDARIES, Durations, Outcome, PHASES, Sum, Totals, counts_allocations};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Unit;

use super::family::Named;
use super::labels::Labels;
use crate::started::Core;

/// No exemplars: they would be of single calls.
const NO_EXEMPLAR: Option<&Exemplar<Labels, f64>> = None;

/// The families of the components.
pub(super) struct Components {
    core: Weak<Core>,
    families: Vec<(Family, Named)>,
}

/// A family, and what it is made of.
struct Family {
    name: &'static str,
    unit: Option<Unit>,
    help: &'static str,
    series: Series,
}

/// How a family is made of what was measured.
enum Series {
    /// How many there are now.
    Active,
    /// How many there were of each word of a label.
    Words(&'static str, fn(&Totals) -> Vec<(&'static str, u64)>),
    /// Nanoseconds of each word of a label.
    Times(&'static str, fn(&Totals) -> Vec<(&'static str, u64)>),
    /// One sum.
    Sum(Sum),
    /// One sum of nanoseconds.
    Time(Sum),
    /// How long calls took.
    Durations,
}

/// What was measured of one component.
struct Sample {
    kind: &'static str,
    name: &'static str,
    active: u64,
    totals: Totals,
    /// Of hits, of runs, of calls that failed.
    durations: [Durations; 3],
}

impl Components {
    pub(super) fn new(core: Weak<Core>) -> Self {
        let families = families().into_iter().map(|family| (family, Named::default())).collect();
        Self { core, families }
    }
}

impl fmt::Debug for Components {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Components").finish_non_exhaustive()
    }
}

impl Collector for Components {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let core = self.core.upgrade().ok_or(fmt::Error)?;
        let components = core.dispatch.profiler.components().iter().map(|measured| Sample {
            kind: measured.def.kind.word(),
            name: measured.def.name,
            active: measured.active(),
            totals: measured.totals(),
            durations: measured.durations(),
        });
        // One look for all families.
        let called: Vec<_> =
            components.filter(|sample| sample.active > 0 || sample.totals.calls() > 0).collect();
        if called.is_empty() {
            return Ok(());
        }
        self.families.iter().try_for_each(|(family, named)| family.write(&mut encoder, &called, named))
    }
}

fn families() -> Vec<Family> {
    let family = |name, help, series| Family { name, unit: None, help, series };
    let seconds = |name, help, series| Family { name, unit: Some(Unit::Seconds), help, series };
    let mut families = vec![
        family("mcp_component_calls", "Calls that ended", Series::Words("outcome", outcomes)),
        family(
            "mcp_cache_requests",
            "Where the results of calls came from",
            Series::Words("result", origins),
        ),
        seconds("mcp_component_duration", "How long calls took", Series::Durations),
        seconds(
            "mcp_component_busy",
            "Time in which runs kept a worker of the runtime from other calls",
            Series::Time(Sum::Busy),
        ),
        family("mcp_component_polls", "How often runs were polled", Series::Sum(Sum::Polls)),
        seconds("mcp_component_phase", "Where the time of calls went", Series::Times("phase", phases)),
        family("mcp_component_active", "Calls that are under way", Series::Active),
        family("mcp_component_slow_calls", "Calls that were slow", Series::Sum(Sum::SlowCalls)),
        family("mcp_sql_queries", "SQL statements of calls", Series::Sum(Sum::Queries)),
        seconds(
            "mcp_sql_query",
            "Time of SQL statements, up to where their rows were read",
            Series::Time(Sum::QueryTime),
        ),
        family("mcp_sql_slow_queries", "SQL statements that were slow", Series::Sum(Sum::SlowQueries)),
        family(
            "mcp_sql_repeated_queries",
            "SQL statements that a call repeated so often that they could be one",
            Series::Sum(Sum::Repeated),
        ),
    ];
    if counts_allocations() {
        let unit = Some(Unit::Bytes);
        let help = "What runs allocated";
        families.push(Family {
            name: "mcp_component_allocated",
            unit,
            help,
            series: Series::Sum(Sum::Bytes),
        });
    }
    families
}

fn outcomes(totals: &Totals) -> Vec<(&'static str, u64)> {
    Outcome::ALL.into_iter().map(|outcome| (outcome.word(), totals.ended(outcome))).collect()
}

fn origins(totals: &Totals) -> Vec<(&'static str, u64)> {
    CacheOutcome::ALL.into_iter().map(|cache| (cache.word(), totals.served(cache))).collect()
}

fn phases(totals: &Totals) -> Vec<(&'static str, u64)> {
    PHASES.iter().map(|(sum, name)| (*name, totals.sum(*sum))).collect()
}

impl Family {
    fn write(&self, encoder: &mut DescriptorEncoder<'_>, samples: &[Sample], named: &Named) -> fmt::Result {
        let kind = match self.series {
            Series::Active => MetricType::Gauge,
            Series::Durations => MetricType::Histogram,
            _ => MetricType::Counter,
        };
        let mut encoder = encoder.encode_descriptor(self.name, self.help, self.unit.as_ref(), kind)?;
        let add = |total: &mut u64, more: u64| *total = total.wrapping_add(more);
        match &self.series {
            Series::Active => {
                let active = samples.iter().map(|sample| (sample.labels(None), sample.active));
                each(&named.of(active, add), &mut encoder, gauge)
            }
            Series::Words(label, of) => each(&named.of(words(samples, label, *of), add), &mut encoder, count),
            Series::Times(label, of) => each(&named.of(words(samples, label, *of), add), &mut encoder, time),
            Series::Sum(sum) => each(&named.of(sums(samples, *sum), add), &mut encoder, count),
            Series::Time(sum) => each(&named.of(sums(samples, *sum), add), &mut encoder, time),
            Series::Durations => {
                let durations = samples.iter().flat_map(Sample::durations);
                each(&named.of(durations, |all, more| all.merge(&more)), &mut encoder, histogram)
            }
        }
    }
}

/// Writes each series of a family.
fn each<V>(
    series: &[(Labels, V)],
    encoder: &mut MetricEncoder<'_>,
    write: impl Fn(&mut MetricEncoder<'_>, &V) -> fmt::Result,
) -> fmt::Result {
    series.iter().try_for_each(|(labels, value)| write(&mut encoder.encode_family(labels)?, value))
}

/// Returns what there was of each word, in each component.
fn words(
    samples: &[Sample],
    label: &'static str,
    of: fn(&Totals) -> Vec<(&'static str, u64)>,
) -> impl Iterator<Item = (Labels, u64)> {
    samples.iter().flat_map(move |sample| {
        let words = of(&sample.totals).into_iter().filter(|(_, count)| *count > 0);
        words.map(move |(word, count)| (sample.labels(Some((label, word))), count))
    })
}

/// Returns a sum of each component.
fn sums(samples: &[Sample], sum: Sum) -> impl Iterator<Item = (Labels, u64)> {
    samples.iter().map(move |sample| (sample.labels(None), sample.totals.sum(sum)))
}

fn gauge(encoder: &mut MetricEncoder<'_>, value: &u64) -> fmt::Result {
    encoder.encode_gauge(value)
}

fn count(encoder: &mut MetricEncoder<'_>, count: &u64) -> fmt::Result {
    encoder.encode_counter(count, NO_EXEMPLAR)
}

fn time(encoder: &mut MetricEncoder<'_>, nanos: &u64) -> fmt::Result {
    encoder.encode_counter(&seconds(*nanos), NO_EXEMPLAR)
}

fn histogram(encoder: &mut MetricEncoder<'_>, durations: &Durations) -> fmt::Result {
    let ends = COMPONENT_BOUNDARIES.into_iter().map(seconds).chain([f64::INFINITY]);
    let buckets: Vec<_> = ends.zip(durations.buckets).collect();
    encoder.encode_histogram::<Labels>(seconds(durations.sum), durations.count(), &buckets, None)
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

impl Sample {
    fn labels(&self, word: Option<(&'static str, &'static str)>) -> Labels {
        Labels { kind: self.kind, component: self.name, word }
    }

    fn durations(&self) -> impl Iterator<Item = (Labels, Durations)> {
        let seen = ["hit", "run", "failed"].into_iter().zip(&self.durations);
        let seen = seen.filter(|(_, durations)| durations.count() > 0);
        seen.map(|(result, durations)| (self.labels(Some(("result", result))), durations.clone()))
    }
}

#[cfg(test)]
mod tests {
    use mcp_core::profile::Histogram;
    use prometheus_client::encoding::prometheus_text;
    use prometheus_client::registry::Registry;

    use super::*;

    #[derive(Debug)]
    struct One(Durations);

    impl Collector for One {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
            let kind = MetricType::Histogram;
            let mut encoder = encoder.encode_descriptor("one", "One", Some(&Unit::Seconds), kind)?;
            histogram(&mut encoder, &self.0)
        }
    }

    #[test]
    fn a_time_on_a_boundary_is_within_it() {
        let (seen, mut durations) = (Histogram::default(), Durations::default());
        for boundary in COMPONENT_BOUNDARIES {
            seen.record(boundary);
            seen.record(boundary + 1);
        }
        seen.add_durations(&mut durations);
        let mut registry = Registry::default();
        registry.register_collector(Box::new(One(durations)));
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry).unwrap();

        let value = |sample: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{sample} is not in\n{text}")).parse::<f64>().unwrap()
        };
        let mut within = 1.0;
        for boundary in COMPONENT_BOUNDARIES {
            let end = boundary as f64 / 1e9;
            assert_eq!(value(&format!("one_seconds_bucket{{le=\"{end}\"}}")), within, "{end}");
            within += 2.0;
        }
        let all = 2.0 * COMPONENT_BOUNDARIES.len() as f64;
        assert_eq!([value("one_seconds_bucket{le=\"+Inf\"}"), value("one_seconds_count")], [all; 2]);
        let sum: u64 = COMPONENT_BOUNDARIES.iter().map(|boundary| 2 * boundary + 1).sum();
        let sum = sum as f64 / 1e9;
        assert!((value("one_seconds_sum") - sum).abs() <= 1e-9 * sum);
    }
}
