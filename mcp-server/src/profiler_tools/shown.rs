//! What was measured, as a line and as JSON.

use mcp_core::profile::{Finding, Report, SlowCall};
use serde_json::{Value, json};

use super::asked::Answer;
use crate::text_report::{Figures, clean, counted, cut, finding, in_short, percent, time};

/// How much is shown of a statement or a label.
const LABEL: usize = 300;

/// How many parts of each kind are shown of a call.
const PARTS: usize = 12;

/// Says what was found.
pub(super) fn found<'a>(answer: &mut Answer, findings: impl Iterator<Item = &'a Finding>) {
    findings.for_each(|found| answer.say(format!("- {}", finding(found))));
}

/// Says which calls were worth a look.
pub(super) fn said<'a>(answer: &mut Answer, report: &Report, calls: impl Iterator<Item = &'a SlowCall>) {
    calls.for_each(|call| {
        let trace = call.trace_id.as_ref().map_or_else(String::new, |trace| format!("; trace {trace}"));
        answer.say(format!("- {}; at {}{trace}", in_short(call, report.at_ms), call.place));
    });
}

/// Says what is not seen, so that nobody takes it for nothing.
pub(super) fn unmeasured(answer: &mut Answer, report: &Report) {
    if !report.profiling {
        answer.say("Profiling is off: set `MCP_MONITORING_ENABLED`, or these figures stay as they are.");
    }
    if let Some(note) = &report.sql.note {
        answer.say(format!("SQL statements are not seen ({}): {note}", report.sql.state));
    }
    if report.sql.unattributed > 0 {
        let statements = counted(report.sql.unattributed, "SQL statement", "SQL statements");
        answer.say(format!("{statements} of the process belonged to no call, and are in no figures."));
    }
}

pub(super) fn in_words(figures: &Figures<'_>) -> String {
    let Figures { component, window } = figures;
    let calls = counted(window.calls, "call", "calls");
    let mut text = format!("{} {}: {calls}", component.kind, component.name);
    if let Some(wall) = &window.wall {
        text += &format!(", p50 {}, max {}", time(wall.p50_ns), time(wall.max_ns));
        text += &wall.p95_ns.map_or_else(String::new, |p95| format!(", p95 {}", time(p95)));
    }
    for (what, share) in [("ok", figures.ok()), ("hits", figures.hits())] {
        text += &share.map_or_else(String::new, |share| format!(", {what} {} %", percent(share)));
    }
    text += &format!(", busy {}, longest poll {}", time(window.busy_ns), time(window.longest_poll_ns));
    if let Some((name, _, share)) = figures.phases().into_iter().max_by_key(|(_, took, _)| *took) {
        text += &format!(", {} % of the time in {name}", percent(share));
    }
    if window.queries > 0 {
        text += &format!(", {:.1} statements a call", figures.queries().unwrap_or(0.0));
    }
    format!("{text}, {} slow; {}", window.slow_calls, component.place)
}

pub(super) fn figures_json(figures: &Figures<'_>) -> Value {
    let Figures { component, window } = figures;
    json!({
        "kind": component.kind,
        "name": component.name,
        "place": component.place,
        "active": component.active,
        "calls": window.calls,
        "calls_per_minute": figures.per_minute(),
        "ok_share": figures.ok(),
        "hit_share": figures.hits(),
        "wall": window.wall,
        "busy_ns": window.busy_ns,
        "longest_poll_ns": window.longest_poll_ns,
        "bytes_per_call": figures.bytes(),
        "queries_per_call": figures.queries(),
        "repeated_queries": window.repeated_queries,
        "slow_calls": window.slow_calls,
    })
}

pub(super) fn found_json(finding: &Finding) -> Value {
    let mut finding = finding.clone();
    [&mut finding.says, &mut finding.fix].into_iter().for_each(shorten);
    json!(finding)
}

/// Returns a call with what is most important of it.
pub(super) fn call_json(call: &SlowCall) -> Value {
    let mut call = call.clone();
    call.dropped.queries += call.queries.len().saturating_sub(PARTS) as u64;
    call.dropped.checkpoints += call.checkpoints.len().saturating_sub(PARTS) as u64;
    call.queries.truncate(PARTS);
    call.checkpoints.truncate(PARTS);
    call.steps.truncate(PARTS);
    call.children.truncate(PARTS);
    call.repeated.truncate(PARTS);
    call.queries.iter_mut().for_each(|query| shorten(&mut query.fingerprint));
    call.repeated.iter_mut().for_each(|repeated| shorten(&mut repeated.fingerprint));
    json!(call)
}

pub(super) fn shorten(text: &mut String) {
    *text = short(text);
}

/// Returns as much of a text as is shown.
pub(super) fn short(text: &str) -> String {
    cut(&clean(text), LABEL)
}
