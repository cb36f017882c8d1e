//! What the servers of this name measured that run here, and what the history says of those everywhere.

use std::time::Duration;

use mcp_core::profile::{Outcome, Report, Span};

use super::facts::{Component, Facts, Past};
use super::verdict::{Group, Verdict, first};
use crate::text_report::{counted, percent};

const OF: Group = Group::Running;

/// How many findings are shown of one server.
const FINDINGS: usize = 10;

/// With fewer calls a share of them says little.
const CALLS: u64 = 20;

/// The share of failures, and that of results that had to make room, above which something is wrong.
const MOST_FAILED: f64 = 0.01;
const MOST_EVICTED: f64 = 0.1;

/// How many days without a call make a component one that nobody needs.
pub(super) const DAYS: u64 = 7;

pub(super) fn judge(facts: &Facts) -> Vec<Verdict> {
    let mut all = Vec::new();
    if facts.running.is_empty() {
        all.push(OF.skip("process", format!("no server of the name `{}` runs here", facts.name)));
    }
    for server in &facts.running {
        match server {
            Ok(report) => all.extend(one(report, &facts.version)),
            Err(error) => all.push(OF.fail("process", error, "end it, and start it again with `serve`")),
        }
    }
    all.extend(
        facts.history.as_ref().map(|past| history(past, facts.components.as_deref().unwrap_or_default())),
    );
    all
}

fn one(report: &Report, version: &str) -> Vec<Verdict> {
    let mut all = vec![process(report, version), dropped(report)];
    all.extend(evicted(report));
    all.push(failed(report));
    all.extend(strays(report));
    all.extend(findings(report));
    all
}

fn process(report: &Report, version: &str) -> Verdict {
    let up = Duration::from_secs(report.at_ms.saturating_sub(report.started_ms) / 1000);
    let found = format!("{} runs version {}, for {}", report.pid, report.version, age(up));
    if report.version == version {
        return OF.pass("process", found);
    }
    OF.warn("process", format!("{found}; this program is {version}"), "start the server again")
}

fn dropped(report: &Report) -> Verdict {
    let name = "dropped";
    let dropped = report.dropped;
    let counts = [
        (dropped.slow_calls, "slow call", "slow calls"),
        (dropped.statements, "statement", "statements"),
        (dropped.active, "call under way", "calls under way"),
        (dropped.alerts, "alert", "alerts"),
        (dropped.history, "component's hour of the history", "components' hours of the history"),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let counts: Vec<_> = counts.map(|(count, one, many)| counted(count, one, many)).collect();
    if counts.is_empty() {
        return OF.pass(name, "nothing of what was measured, and no alert");
    }
    let fix = if dropped.alerts > 0 {
        "see why in the log: `MCP_ALERT_WEBHOOK` has to answer, and fewer calls to be slow (`MCP_SLOW_THRESHOLD`)"
    } else if dropped.history > 0 {
        "see in the log why the Redis of `MCP_REDIS_URL` was away; start the server again to begin anew"
    } else {
        "there was no room for more: `stats` shows what is kept; start the server again to begin anew"
    };
    OF.warn(name, format!("{}: {}", report.pid, counts.join(", ")), fix)
}

/// Nothing where nothing was stored.
fn evicted(report: &Report) -> Option<Verdict> {
    let name = "evictions";
    let count = |key: &str| report.cache.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let (evicted, stored, room) = (count("evicted"), count("stored"), count("capacity"));
    let share = evicted as f64 / stored as f64;
    if stored == 0 {
        return None;
    }
    let found = format!("{}: {evicted} of {stored} results made room for others", report.pid);
    Some(if share <= MOST_EVICTED {
        OF.pass(name, found)
    } else {
        OF.warn(name, found, format!("set `MCP_CACHE_MEMORY_BYTES={}`", room.saturating_mul(2)))
    })
}

fn failed(report: &Report) -> Verdict {
    let name = "errors";
    let mut failing: Vec<_> = report
        .components
        .iter()
        .filter_map(|component| {
            // The last hour, or all that there is where it has too few calls.
            let mut windows =
                [Span::Hour, Span::Start].into_iter().filter_map(|span| component.windows.get(span.word()));
            let window = windows.find(|window| window.calls >= CALLS)?;
            let outcomes = Outcome::ALL.into_iter().filter(|outcome| outcome.is_failure());
            let failed: u64 = outcomes.filter_map(|outcome| window.outcomes.get(outcome.word())).sum();
            let share = failed as f64 / window.calls as f64;
            (share > MOST_FAILED).then_some((share, component.name.as_str()))
        })
        .collect();
    if failing.is_empty() {
        return OF.pass(name, format!("no component has more than {} % of them", percent(MOST_FAILED)));
    }
    failing.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let (most, worst) = failing[0];
    OF.warn(
        name,
        format!(
            "{}: up to {} % of the calls fail: {}",
            report.pid,
            percent(most),
            first(failing.iter().map(|(_, name)| *name))
        ),
        format!("`stats {worst}` shows its failed calls"),
    )
}

/// Statements that no call is told of; nothing where there are none.
fn strays(report: &Report) -> Option<Verdict> {
    let strays = report.sql.unattributed;
    (strays > 0).then(|| {
        OF.warn(
            "statements",
            format!("{}: {} belonged to no call", report.pid, counted(strays, "statement", "statements")),
            "run them in the function, or give the task its span: `tokio::spawn(work.in_current_span())`",
        )
    })
}

fn findings(report: &Report) -> Vec<Verdict> {
    let shown = report.findings.iter().take(FINDINGS).map(|finding| {
        let kind = finding.kind.replace("_sql", " SQL").replace('_', " ");
        let found = format!("{}, {kind}: {}; at {}", finding.component, finding.says, finding.place);
        OF.warn("finding", found, finding.fix.as_str())
    });
    let more = report.findings.len().saturating_sub(FINDINGS);
    let more = (more > 0).then(|| OF.warn("finding", format!("and {more} more"), "`stats` shows them all"));
    shown.chain(more).collect()
}

fn history(past: &Result<Past, String>, components: &[Component]) -> Verdict {
    let name = "unused";
    let past = match past {
        Ok(past) => past,
        Err(error) => {
            return OF.warn(name, format!("the history cannot be read: {error}"), "correct `MCP_REDIS_URL`");
        }
    };
    let Some(days) = past.days else { return OF.skip(name, "the history has no call yet") };
    if days < DAYS {
        let ago = counted(days, "day", "days");
        return OF
            .skip(name, format!("the oldest call of the history was {ago} ago, and {DAYS} are looked at"));
    }
    let is_called = |component: &&Component| {
        past.called.iter().any(|(kind, name)| kind == component.kind && *name == component.name)
    };
    let unused: Vec<_> =
        components.iter().filter(|component| component.is_expected && !is_called(component)).collect();
    if unused.is_empty() {
        return OF.pass(name, format!("each component was called in the last {DAYS} days"));
    }
    OF.warn(
        name,
        format!(
            "without a call in {DAYS} days: {}",
            first(unused.iter().map(|component| component.name.as_str()))
        ),
        "remove them, or write `hidden`: each one that is listed takes room in the model's context",
    )
}

/// Returns a time in its largest unit.
fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => counted(seconds / 86_400, "day", "days"),
    }
}
