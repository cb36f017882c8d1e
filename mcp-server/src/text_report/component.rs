//! What was measured of one component, in detail.

use std::collections::BTreeMap;

use mcp_core::profile::{ComponentReport, Latency, Report, Span};

use super::document::Document;
use super::figures::{Figures, share};
use super::findings::finding;
use super::summary::in_words;
use super::table::{Column, Table};
use super::timeline::timeline;
use super::units::{bytes, counted, number, percent, time};

/// How many slow calls are shown.
const CALLS: usize = 5;

const TIMES: [Column; 8] = [
    Column::text("time").elastic(8),
    Column::number("calls"),
    Column::number("mean").rank(1),
    Column::number("p50"),
    Column::number("p90").rank(2),
    Column::number("p95"),
    Column::number("p99").rank(3),
    Column::number("max").rank(4),
];

/// Returns whether a component is meant by `search`, or by `tool search`.
pub(crate) fn is_named(kind: &str, name: &str, meant: &str) -> bool {
    name == meant || meant.strip_prefix(kind).and_then(|rest| rest.strip_prefix(' ')) == Some(name)
}

/// Shows a component; `None` where none of this name was called.
pub(crate) fn component(report: &Report, name: &str, span: Span) -> Option<Document> {
    let mut document = Document::default();
    let meant = report.components.iter().filter(|component| is_named(&component.kind, &component.name, name));
    let mut found = false;
    for component in meant {
        found = true;
        if let Some(figures) = Figures::of(component, span) {
            figures_of(&figures, span, report.counts_allocations, &mut document);
        }
        shown(report, component, &mut document);
    }
    found.then_some(document)
}

fn figures_of(figures: &Figures<'_>, span: Span, counts_allocations: bool, document: &mut Document) {
    let Figures { component, window } = figures;
    document.heading(format!("{} {}, {}", component.kind, component.name, component.place));
    document.line(format!(
        "{}: {}, {} a minute, {} under way, slow from {} on",
        in_words(span),
        counted(window.calls, "call", "calls"),
        number(figures.per_minute()),
        component.active,
        time(component.slow_ns)
    ));
    document.line(format!("outcomes: {}", shares(&window.outcomes)));
    document.line(format!("results: {}", shares(&window.cache)));
    let phases = figures.phases();
    let phases =
        phases.iter().map(|(name, took, share)| format!("{name} {} % ({})", percent(*share), time(*took)));
    document.line(format!("phases: {}", listed(phases)));
    let cpu = share(window.cpu_ns.min(window.cpu_busy_ns), window.cpu_busy_ns);
    let cpu = cpu.map_or_else(String::new, |share| format!(", {} % of it processor time", percent(share)));
    document.line(format!(
        "busy: {} in {}, the longest {}{cpu}",
        time(window.busy_ns),
        counted(window.polls, "poll", "polls"),
        time(window.longest_poll_ns)
    ));
    if counts_allocations {
        let times = share(window.allocations.unwrap_or(0), window.calls).unwrap_or(0.0);
        let size = bytes(figures.bytes().unwrap_or(0.0));
        document.line(format!("allocated: {size} in {} pieces a call", number(times)));
    }
    if window.queries > 0 {
        document.line(format!(
            "SQL: {} statements a call, {} in all, {} slow, {} repeated",
            number(figures.queries().unwrap_or(0.0)),
            time(window.query_ns),
            window.slow_queries,
            window.repeated_queries
        ));
    }
    let rows =
        [("ok", &window.wall), ("hits", &window.hits), ("runs", &window.runs), ("failed", &window.failed)];
    let rows: Vec<_> =
        rows.iter().filter_map(|(name, latency)| Some(times(name, latency.as_ref()?))).collect();
    if !rows.is_empty() {
        document.table(Table::new(TIMES, rows.into_iter()));
    }
}

fn times(name: &str, latency: &Latency) -> [String; 8] {
    let of = |nanos: Option<u64>| nanos.map_or_else(|| "-".to_owned(), time);
    [
        name.to_owned(),
        latency.calls.to_string(),
        time(latency.mean_ns),
        time(latency.p50_ns),
        time(latency.p90_ns),
        of(latency.p95_ns),
        of(latency.p99_ns),
        time(latency.max_ns),
    ]
}

/// Shows what was found in the component, and its calls that are worth a look.
fn shown(report: &Report, component: &ComponentReport, document: &mut Document) {
    let name = format!("{} {}", component.kind, component.name);
    let found: Vec<_> = report.findings.iter().filter(|finding| finding.component == name).collect();
    if !found.is_empty() {
        document.heading("findings");
        found.into_iter().for_each(|found| document.item(finding(found)));
    }
    let own =
        report.slow.iter().filter(|call| (&call.kind, &call.name) == (&component.kind, &component.name));
    own.take(CALLS).for_each(|call| document.append(timeline(call, report.at_ms)));
}

fn shares(counts: &BTreeMap<String, u64>) -> String {
    let all: u64 = counts.values().sum();
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    listed(
        counts
            .into_iter()
            .filter_map(|(word, count)| Some(format!("{word} {count} ({} %)", percent(share(*count, all)?)))),
    )
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
}
