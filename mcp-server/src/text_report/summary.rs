//! What a server measured, on one page.

use mcp_core::profile::{ERROR_BOUND, Latency, Report, Span};

use super::document::Document;
use super::figures::{Figures, by_busy_time, share};
use super::findings::finding;
use super::table::{Column, Table};
use super::timeline::in_short;
use super::units::{bytes, counted, number, percent, time};

/// How many findings are shown.
const FINDINGS: usize = 20;

/// How many slow calls and how many statements are shown.
const FEW: usize = 5;

/// The columns, those that are left out first with the lowest ranks.
const COLUMNS: [Column; 13] = [
    Column::text("component").elastic(24),
    Column::number("calls"),
    Column::number("/min").rank(3),
    Column::number("ok %").rank(10),
    Column::number("hit %").rank(8),
    Column::number("p50").rank(6),
    Column::number("p95").rank(11),
    Column::number("p99").rank(5),
    Column::number("max").rank(4),
    Column::number("busy %").rank(9),
    Column::number("alloc/call").rank(1),
    Column::number("sql/call").rank(2),
    Column::number("slow").rank(7),
];

const STATEMENTS: [Column; 8] = [
    Column::number("total"),
    Column::number("runs"),
    Column::number("mean").rank(4),
    Column::number("max").rank(2),
    Column::number("rows").rank(1),
    Column::number("slow").rank(3),
    Column::number("repeated").rank(5),
    Column::text("statement").elastic(30),
];

/// Shows all that was measured.
pub(crate) fn summary(report: &Report, running: bool, span: Span) -> Document {
    let mut document = overview(report, running, span);
    findings(report, &mut document);
    slow_calls(report, &mut document);
    statements(report, &mut document);
    document.heading("measured");
    document.line(dropped(report));
    measured(report).into_iter().for_each(|line| document.line(line));
    document
}

/// Shows what was measured of each component.
pub(crate) fn overview(report: &Report, running: bool, span: Span) -> Document {
    let all = by_busy_time(report, span);
    let calls = all.iter().map(|figures| figures.window.calls).sum();
    let active: u64 = report.components.iter().map(|component| component.active).sum();
    let state = if running { "runs" } else { "ended" };
    let mut document = Document::default();
    document.heading(format!(
        "{} {}, process {} ({state}), {}: {}, {active} under way",
        report.server,
        report.version,
        report.pid,
        in_words(span),
        counted(calls, "call", "calls")
    ));
    if all.is_empty() {
        document.line("no component was called");
    } else {
        document.table(Table::new(COLUMNS, all.iter().map(row)));
    }
    document
}

/// Returns a span of time in words.
pub(super) fn in_words(span: Span) -> String {
    match span {
        Span::Start => "since the start".to_owned(),
        span => format!("last {}", span.word()),
    }
}

fn row(figures: &Figures<'_>) -> [String; 13] {
    let Figures { component, window } = figures;
    let of = |value: Option<f64>, text: fn(f64) -> String| value.map_or_else(|| "-".to_owned(), text);
    let wall = |read: fn(&Latency) -> Option<u64>| {
        window.wall.as_ref().and_then(read).map_or_else(|| "-".to_owned(), time)
    };
    [
        format!("{} {}", component.kind, component.name),
        window.calls.to_string(),
        number(figures.per_minute()),
        of(figures.ok(), percent),
        of(figures.hits(), percent),
        wall(|wall| Some(wall.p50_ns)),
        wall(|wall| wall.p95_ns),
        wall(|wall| wall.p99_ns),
        wall(|wall| Some(wall.max_ns)),
        percent(figures.busy()),
        of(figures.bytes(), bytes),
        of(figures.queries(), number),
        window.slow_calls.to_string(),
    ]
}

fn findings(report: &Report, document: &mut Document) {
    if report.findings.is_empty() {
        return;
    }
    document.heading("findings");
    report.findings.iter().take(FINDINGS).for_each(|found| document.item(finding(found)));
    if let Some(more) = report.findings.len().checked_sub(FINDINGS).filter(|more| *more > 0) {
        document.line(format!("and {more} more"));
    }
}

fn slow_calls(report: &Report, document: &mut Document) {
    if report.slow.is_empty() {
        return;
    }
    document.heading(format!("calls worth a look, the newest of {}", report.slow.len()));
    report.slow.iter().take(FEW).for_each(|call| document.item(in_short(call, report.at_ms)));
}

fn statements(report: &Report, document: &mut Document) {
    if report.statements.is_empty() {
        return;
    }
    document.heading(format!("SQL statements, the most expensive of {}", report.statements.len()));
    let rows = report.statements.iter().take(FEW).map(|statement| {
        [
            time(statement.total_ns),
            statement.calls.to_string(),
            share(statement.total_ns, statement.calls)
                .map_or_else(|| "-".to_owned(), |mean| time(mean as u64)),
            time(statement.max_ns),
            statement.rows.to_string(),
            statement.slow.to_string(),
            statement.repeated.to_string(),
            statement.fingerprint.clone(),
        ]
    });
    document.table(Table::new(STATEMENTS, rows));
}

fn dropped(report: &Report) -> String {
    let dropped = report.dropped;
    let counts = [
        (dropped.slow_calls, "slow call", "slow calls"),
        (dropped.statements, "statement", "statements"),
        (dropped.alerts, "alert", "alerts"),
        (dropped.active, "call under way", "calls under way"),
        (dropped.history, "hour of the history", "hours of the history"),
    ];
    let counts = counts.iter().filter(|(count, ..)| *count > 0);
    let counts: Vec<_> = counts.map(|(count, one, many)| counted(*count, one, many)).collect();
    if counts.is_empty() {
        "dropped: nothing".to_owned()
    } else {
        format!("dropped, for want of room: {}", counts.join(", "))
    }
}

/// Returns how it was measured.
fn measured(report: &Report) -> Vec<String> {
    let bound = ERROR_BOUND * 100.0;
    let mut lines = vec![
        format!(
            "times: percentiles are within {bound:.1} %; busy % is the time in polls as a share of one processor"
        ),
        format!(
            "processor time: of {} % of the calls, and of all of a component that is slow",
            percent(report.sample_rate)
        ),
        if report.counts_allocations {
            "allocations: counted".to_owned()
        } else {
            "allocations: not counted, as the program has an allocator of its own: wrap it in `CountingAllocator`".to_owned()
        },
    ];
    if report.clock_anomalies > 0 {
        let calls = counted(report.clock_anomalies, "call", "calls");
        lines.push(format!(
            "times: {calls} ended before the begin or took longer than an hour, as when a machine sleeps"
        ));
    }
    let note = report.sql.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
    lines.push(format!("SQL: {}{note}", report.sql.state));
    if report.sql.unattributed > 0 {
        let statements = counted(report.sql.unattributed, "statement", "statements");
        lines.push(format!("SQL: {statements} belonged to no call, and are in no figures"));
    }
    if !report.profiling {
        lines.push("profiling is off: these are the figures of when it was on".to_owned());
    }
    lines
}
