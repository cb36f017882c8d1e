//! One call that is worth a look: its parts in the order of time.

use mcp_core::profile::{CheckpointReport, SlowCall};

use super::document::Document;
use super::table::{Column, Table};
use super::units::{bytes, counted, percent, time};

/// How many statements of a call are shown one by one.
const QUERIES: usize = 12;

/// How many checkpoints, and how many steps, are shown.
const NOTES: usize = 20;

const COLUMNS: [Column; 4] = [
    Column::number("at"),
    Column::number("took").rank(1),
    Column::text("what"),
    Column::text("").elastic(20),
];

/// Returns a call in one line, as seen `now`.
pub(crate) fn in_short(call: &SlowCall, now_ms: u64) -> String {
    let ago = time(now_ms.saturating_sub(call.at_ms).saturating_mul(1_000_000));
    let outcome = call.outcome.as_deref().unwrap_or("runs still");
    let mut text = format!(
        "{} {}, {}: {outcome} after {}, {ago} ago",
        call.kind,
        call.name,
        call.why.replace("_sql", " SQL").replace('_', " "),
        time(call.wall_ns)
    );
    if let Some(longest) = call.phases.iter().max_by_key(|phase| phase.took_ns) {
        let share = longest.took_ns as f64 / call.wall_ns.max(1) as f64;
        text += &format!("; {} {} %", longest.name, percent(share.min(1.0)));
    }
    let queries = call.queries.len() as u64 + call.dropped.queries;
    if queries > 0 {
        text += &format!("; {}", counted(queries, "statement", "statements"));
    }
    format!("{text} (call {})", call.id)
}

/// Shows a call with its parts.
pub(super) fn timeline(call: &SlowCall, now_ms: u64) -> Document {
    let mut document = Document::default();
    document.heading(in_short(call, now_ms));
    document.line(used(call));
    document.table(Table::new(COLUMNS, events(call).into_iter().map(|(_, row)| row)));
    for repeated in &call.repeated {
        let after = repeated.after.as_ref().map_or_else(String::new, |after| format!(" after `{after}`"));
        document.item(format!(
            "{} times{after}, {} in all: {}",
            repeated.times,
            time(repeated.total_ns),
            repeated.fingerprint
        ));
    }
    let (queries, checkpoints) =
        (call.queries.len().saturating_sub(QUERIES), call.checkpoints.len().saturating_sub(NOTES));
    let more = [
        (queries as u64 + call.dropped.queries, "statement", "statements"),
        (checkpoints as u64 + call.dropped.checkpoints, "checkpoint", "checkpoints"),
        (call.steps.len().saturating_sub(NOTES) as u64, "step", "steps"),
    ];
    let more: Vec<_> = more
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| counted(*count, one, many))
        .collect();
    if !more.is_empty() {
        document.line(format!("and {} more", more.join(", ")));
    }
    document
}

fn used(call: &SlowCall) -> String {
    let mut used = format!(
        "busy {} in {}, the longest {}",
        time(call.busy_ns),
        counted(call.polls, "poll", "polls"),
        time(call.longest_poll_ns)
    );
    if let Some(cpu) = call.cpu_ns {
        let share = (cpu as f64 / call.cpu_busy_ns.max(1) as f64).min(1.0);
        used += &format!("; {} % of it processor time", percent(share));
    }
    if let (Some(allocated), Some(times)) = (call.allocated_bytes, call.allocations) {
        used += &format!("; {} in {}", bytes(allocated as f64), counted(times, "allocation", "allocations"));
    }
    if let Some(cache) = &call.cache {
        used += &format!("; result: {cache}");
    }
    if let Some(trace) = &call.trace_id {
        used += &format!("; trace {trace}");
    }
    used
}

/// Returns the rows with when they began, in the order of time; what holds others stands before them.
fn events(call: &SlowCall) -> Vec<(u64, [String; 4])> {
    let row = |at: u64, took: Option<u64>, what: &str, detail: String| {
        (at, [time(at), took.map(time).unwrap_or_default(), what.to_owned(), detail])
    };
    let mut events = Vec::new();
    for phase in &call.phases {
        events.push(row(phase.start_ns, Some(phase.took_ns), &phase.name, String::new()));
    }
    let mut before = CheckpointReport::default();
    for checkpoint in call.checkpoints.iter().take(NOTES) {
        events.push(row(checkpoint.at_ns, None, "checkpoint", since(checkpoint, &before)));
        before.clone_from(checkpoint);
    }
    for step in call.steps.iter().take(NOTES) {
        events.push(row(step.start_ns, Some(step.took_ns), "step", step.name.clone()));
    }
    for child in call.children.iter().take(NOTES) {
        events.push(row(
            child.start_ns,
            Some(child.took_ns),
            "call",
            format!("{} {}", child.kind, child.name),
        ));
    }
    for query in call.queries.iter().take(QUERIES) {
        let detail = format!("{} ({})", query.fingerprint, counted(query.rows, "row", "rows"));
        events.push(row(query.start_ns, Some(query.took_ns), "query", detail));
    }
    events.sort_by_key(|(at, _)| *at);
    events
}

/// Returns a checkpoint with what was used since the one before it.
fn since(checkpoint: &CheckpointReport, before: &CheckpointReport) -> String {
    let mut text = checkpoint.label.clone();
    if let Some(value) = checkpoint.value {
        text += &format!(" = {value}");
    }
    let passed = checkpoint.at_ns.saturating_sub(before.at_ns);
    let busy = checkpoint.busy_ns.saturating_sub(before.busy_ns);
    text += &format!(": +{}, busy +{}", time(passed), time(busy));
    if let Some(allocated) = checkpoint.allocated_bytes {
        let more = allocated.saturating_sub(before.allocated_bytes.unwrap_or(0));
        text += &format!(", +{}", bytes(more as f64));
    }
    let queries = checkpoint.queries.saturating_sub(before.queries);
    if queries > 0 {
        text += &format!(", +{}", counted(queries, "statement", "statements"));
    }
    text
}
