//! The report as text, for terminals and for browsers without scripts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mcp_core::profile::{ComponentReport, Report, Window, human};
use serde_json::Value;

/// How wide a line is at most, in characters.
const WIDTH: usize = 120;

/// How many lines a part has at most.
const MOST: usize = 40;

/// Writes a report.
pub(super) fn report(report: &Report) -> String {
    let mut text = String::new();
    for line in head(report).into_iter().chain(components(report)).chain(findings(report)).chain(slow(report))
    {
        push(&mut text, &line);
    }
    for line in statements(report).into_iter().chain(cache(report)) {
        push(&mut text, &line);
    }
    text
}

fn push(text: &mut String, line: &str) {
    text.push_str(fit(line, WIDTH).trim_end());
    text.push('\n');
}

/// Cuts what is too long, and keeps it to one line.
fn fit(text: &str, width: usize) -> String {
    let plain = |char: char| if char.is_control() { ' ' } else { char };
    if text.chars().count() <= width {
        return text.chars().map(plain).collect();
    }
    text.chars().take(width - 1).map(plain).chain(['…']).collect()
}

fn head(report: &Report) -> Vec<String> {
    let up = report.at_ms.saturating_sub(report.started_ms) / 1000;
    let number = |key: &str| report.runtime.get(key).and_then(Value::as_u64).unwrap_or(0);
    let state = if report.profiling { "measured" } else { "not measured now" };
    vec![
        format!(
            "{} {}, process {}, up {}:{:02}:{:02}, calls are {state}",
            report.server,
            report.version,
            report.pid,
            up / 3600,
            up / 60 % 60,
            up % 60,
        ),
        format!(
            "{} calls under way, {} MiB, {} tasks on {} workers",
            number("active_calls"),
            number("rss_bytes") >> 20,
            number("tasks"),
            number("workers"),
        ),
        format!(
            "SQL: {}{}",
            report.sql.state,
            report.sql.note.as_ref().map_or(String::new(), |note| format!(", {note}"))
        ),
    ]
}

/// The components, those that keep workers longest first.
fn components(report: &Report) -> Vec<String> {
    let mut components: Vec<_> = report.components.iter().map(|it| (it, since_the_start(it))).collect();
    components.sort_by_key(|(component, window)| {
        (std::cmp::Reverse(window.busy_ns), component.kind.clone(), component.name.clone())
    });
    let mut lines = vec![String::new(), "COMPONENTS SINCE THE START".to_owned()];
    lines.push(row(
        ["", "calls", "ok %", "hit %", "p50", "p95", "p99", "max", "busy", "slow"].map(str::to_owned)
    ));
    lines.extend(components.iter().take(MOST).map(|(component, window)| {
        let count = |counts: &BTreeMap<String, u64>, words: &[&str]| -> u64 {
            words.iter().filter_map(|word| counts.get(*word)).sum()
        };
        let hits = count(&window.cache, &["memory", "shared", "database", "coalesced", "stale", "negative"]);
        let latency = window.wall.clone().unwrap_or_default();
        let known = |time: Option<u64>| time.map_or_else(|| "-".to_owned(), human);
        row([
            format!("{} {}", component.kind, component.name),
            window.calls.to_string(),
            percent(count(&window.outcomes, &["ok"]), window.calls),
            percent(hits, window.calls),
            known(Some(latency.p50_ns).filter(|_| latency.calls > 0)),
            known(latency.p95_ns),
            known(latency.p99_ns),
            known(Some(latency.max_ns).filter(|_| latency.calls > 0)),
            human(window.busy_ns),
            window.slow_calls.to_string(),
        ])
    }));
    if components.is_empty() {
        lines.push("no component was called".to_owned());
    }
    more(&mut lines, components.len());
    lines
}

fn since_the_start(component: &ComponentReport) -> Window {
    component.windows.get("start").cloned().unwrap_or_default()
}

fn row([name, numbers @ ..]: [String; 10]) -> String {
    let mut line = format!("{:33}", fit(&name, 33));
    for number in numbers {
        let _ = write!(line, " {number:>8}");
    }
    line
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.1}", part as f64 * 100.0 / whole as f64) }
}

fn more(lines: &mut Vec<String>, all: usize) {
    if all > MOST {
        lines.push(format!("and {} more", all - MOST));
    }
}

fn findings(report: &Report) -> Vec<String> {
    let mut lines = vec![String::new(), "FINDINGS".to_owned()];
    for finding in report.findings.iter().take(MOST) {
        let after = finding.after.as_ref().map_or(String::new(), |after| format!(", after `{after}`"));
        lines.push(format!("{} ({}){after}, {} times", finding.component, finding.place, finding.times));
        lines.push(format!("  {}: {}", finding.kind, finding.says));
        lines.push(format!("  {}", finding.fix));
    }
    if report.findings.is_empty() {
        lines.push("none".to_owned());
    }
    more(&mut lines, report.findings.len());
    lines
}

fn slow(report: &Report) -> Vec<String> {
    let mut lines = vec![String::new(), "SLOW AND FAILED CALLS, THE NEWEST FIRST".to_owned()];
    lines.extend(report.slow.iter().take(MOST).map(|call| {
        let outcome = call.outcome.as_deref().unwrap_or("running");
        let component = fit(&format!("{} {}", call.kind, call.name), 40);
        format!("{:8} {component:40} {:12} {outcome:14} {:>10}", call.id, call.why, human(call.wall_ns))
    }));
    if report.slow.is_empty() {
        lines.push("none".to_owned());
    }
    more(&mut lines, report.slow.len());
    lines
}

fn statements(report: &Report) -> Vec<String> {
    if report.statements.is_empty() {
        return Vec::new();
    }
    let mut lines =
        vec![String::new(), format!("{:>10} {:>10} {:>10}  SQL STATEMENTS", "calls", "total", "max")];
    lines.extend(report.statements.iter().take(MOST).map(|statement| {
        let [total, max] = [statement.total_ns, statement.max_ns].map(human);
        format!("{:>10} {total:>10} {max:>10}  {}", statement.calls, statement.fingerprint)
    }));
    more(&mut lines, report.statements.len());
    lines
}

fn cache(report: &Report) -> Vec<String> {
    let number = |value: &Value, key: &str| value.get(key).and_then(Value::as_u64).unwrap_or(0);
    let cache = &report.cache;
    let mut lines = vec![
        String::new(),
        format!(
            "CACHE: {} results, {} of {} bytes",
            number(cache, "entries"),
            number(cache, "bytes"),
            number(cache, "capacity")
        ),
    ];
    for level in cache.get("levels").and_then(Value::as_array).into_iter().flatten() {
        let word = |key: &str| level.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        lines.push(format!(
            "{} is {}: {} hits, {} misses, {} errors",
            word("name"),
            word("state"),
            number(level, "hits"),
            number(level, "misses"),
            number(level, "errors"),
        ));
    }
    lines
}
