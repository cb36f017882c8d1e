//! The text of reports, as it is printed: the files in `golden` are to be read.

use std::collections::BTreeMap;

use mcp_core::profile::{Dropped, Report, Span};
use serde_json::{Value, json};

use super::words::width;
use super::{Document, Look, component, summary};

const MS: u64 = 1_000_000;

/// A report of a server that does about everything that there is to be seen.
fn report() -> Report {
    let latency = |calls: u64, p50: u64| {
        let beyond = |least: u64, times: u64| (calls >= least).then_some(p50 * times);
        json!({ "calls": calls, "mean_ns": p50, "p50_ns": p50, "p90_ns": p50 * 2, "p95_ns": beyond(20, 3),
                "p99_ns": beyond(100, 8), "max_ns": p50 * 9 })
    };
    let component = |kind: &str, name: &str, calls: u64, busy_ns: u64, more: Value| {
        let mut window = json!({
            "seconds": 60.0, "calls": calls, "outcomes": { "ok": calls }, "cache": { "bypass": calls },
            "wall": latency(calls, 2 * MS), "hits": null, "runs": latency(calls, 2 * MS), "failed": null,
            "phases_ns": { "decode": 10_000, "function": 40 * MS, "encode": 90_000 }, "busy_ns": busy_ns,
            "polls": calls * 3, "longest_poll_ns": 4 * MS, "cpu_ns": busy_ns / 2, "cpu_busy_ns": busy_ns,
            "allocated_bytes": calls * 5_000, "allocations": calls * 12, "queries": 0, "query_ns": 0,
            "slow_queries": 0, "repeated_queries": 0, "slow_calls": 0,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            window[key] = value.clone();
        }
        json!({ "kind": kind, "name": name, "place": format!("src/{kind}s.rs:12"), "active": 0, "slow_ns": 1_000 * MS,
                "windows": { "1m": window, "start": window }, "spark": [] })
    };
    let none = json!({ "wall": null, "runs": null, "outcomes": {}, "cache": {}, "phases_ns": {}, "allocated_bytes": 0 });
    let cached = json!({
        "outcomes": { "ok": 1_199, "tool_error": 1 }, "cache": { "memory": 1_000, "coalesced": 50, "computed": 150 },
        "hits": latency(1_050, 2_000), "failed": latency(1, MS), "queries": 3_300, "query_ns": 700 * MS,
        "repeated_queries": 20, "slow_queries": 1, "slow_calls": 2,
    });
    let long = "reads_what_a_customer_has_ordered_in_the_course_of_the_last_financial_year";
    let call = json!({
        "id": "2a", "kind": "tool", "name": "search", "place": "src/tools.rs:12", "at_ms": 1_764_000_055_000_u64,
        "why": "repeated_sql", "outcome": "ok", "cache": "computed", "wall_ns": 1_230 * MS, "busy_ns": 30 * MS,
        "cpu_ns": 6 * MS, "cpu_busy_ns": 30 * MS, "polls": 23, "longest_poll_ns": 12 * MS,
        "allocated_bytes": 70_000, "allocations": 300,
        "phases": [{ "name": "decode", "start_ns": 0, "took_ns": 12_000 },
                   { "name": "function", "start_ns": 12_000, "took_ns": 1_229 * MS }],
        "checkpoints": [
            { "label": "users counted (users)", "value": 20.0, "at_ns": 3 * MS, "busy_ns": MS, "allocated_bytes": 2_000, "queries": 1 },
            { "label": "rows loaded", "value": null, "at_ns": 900 * MS, "busy_ns": 9 * MS, "allocated_bytes": 50_000, "queries": 21 }],
        "steps": [{ "name": "render", "start_ns": 901 * MS, "took_ns": 300 * MS }],
        "queries": [
            { "fingerprint": "SELECT count(*) FROM users", "start_ns": MS, "took_ns": MS, "rows": 1, "after": null },
            { "fingerprint": "SELECT age FROM users WHERE id = ?", "start_ns": 4 * MS, "took_ns": 2 * MS, "rows": 1,
              "after": "users counted (users)" }],
        "repeated": [{ "fingerprint": "SELECT age FROM users WHERE id = ?", "times": 20, "total_ns": 40 * MS,
                       "after": "users counted (users)" }],
        "children": [{ "kind": "resource", "name": "logo", "start_ns": 902 * MS, "took_ns": 5 * MS }],
        "dropped": { "checkpoints": 0, "queries": 19 }, "trace_id": "0af7651916cd43dd8448eb211c80319c",
    });
    let finding = |kind: &str, times: u64, says: &str, fix: &str| {
        json!({ "kind": kind, "component": "tool search", "place": "src/tools.rs:12", "after": "users counted (users)",
                "says": says, "fix": fix, "times": times, "last_ms": 0, "call": "2a" })
    };
    let statement = |fingerprint: &str, calls: u64, total_ns: u64| {
        json!({ "fingerprint": fingerprint, "calls": calls, "total_ns": total_ns, "max_ns": total_ns / 2, "rows": calls,
                "slow": 0, "repeated": calls / 20, "components": ["tool search"] })
    };
    serde_json::from_value(json!({
        "server": "shop", "version": "1.2.0", "instance": "x", "pid": 4711, "started_ms": 0,
        "at_ms": 1_764_000_060_000_u64, "profiling": true, "sample_rate": 0.1, "counts_allocations": true,
        "sql": { "state": "blocked", "note": "a filter of the whole subscriber holds back the target `sqlx::query`",
                 "unattributed": 12 },
        "components": [
            component("tool", "add", 7, 3 * MS, json!({ "seconds": 60.0 })),
            component("tool", "search", 1_200, 9_000 * MS, cached),
            component("resource", long, 240, 3 * MS, json!({ "outcomes": { "ok": 120, "error": 120 } })),
            component("prompt", "übersicht_検索", 1, 3 * MS, json!({})),
            component("tool", "hangs", 0, 0, none),
        ],
        "slow": [call],
        "statements": [
            statement("SELECT age FROM users WHERE id = ?", 3_000, 600 * MS),
            statement("SELECT a, b, c FROM orders JOIN customers USING (id) WHERE created > ? ORDER BY created LIMIT ?", 300, 100 * MS),
        ],
        "pool": { "waits": 0, "total_ns": 0, "max_ns": 0 },
        "findings": [
            finding("repeated_sql", 3, "20 times SELECT age FROM users WHERE id = ? in one call, 40.0 ms in all", "ask once for all: `.. IN (..)`, or a join"),
            finding("blocks_the_runtime", 1, "one poll waited for 12.0 ms and kept a worker from all other calls", "await an async client, timer or lock, or run it on other threads with `blocking`"),
        ],
        "cache": null, "runtime": null,
        "dropped": { "slow_calls": 3, "statements": 0, "alerts": 1, "active": 0, "history": 2 },
    }))
    .unwrap()
}

fn empty() -> Report {
    let mut report = report();
    report.components.clear();
    report.slow.clear();
    report.statements.clear();
    report.findings.clear();
    report.dropped = Dropped::default();
    report.sql.unattributed = 0;
    report
}

fn text(document: &Document, columns: usize) -> String {
    document.text(Look { width: Some(columns), bold: false })
}

/// Holds a text against a file; `MCP_BLESS=1` writes the file, to be read before it is committed.
fn golden(name: &str, text: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/text_report/golden").join(name);
    if std::env::var_os("MCP_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(text == expected, "{} is not what it was:\n{text}", file.display());
}

#[test]
fn a_report_is_as_wide_as_the_terminal() {
    let (report, empty) = (report(), empty());
    for columns in [60, 80, 120, 200] {
        golden(&format!("summary-{columns}.txt"), &text(&summary(&report, true, Span::Start), columns));
        golden(
            &format!("component-{columns}.txt"),
            &text(&component(&report, "search", Span::Minute).unwrap(), columns),
        );
    }
    golden("empty-80.txt", &text(&summary(&empty, false, Span::Start), 80));
    golden("summary.md", &summary(&report, true, Span::Start).markdown());
    golden("component.md", &component(&report, "search", Span::Start).unwrap().markdown());
}

#[test]
fn no_line_is_wider_than_the_terminal_and_nothing_is_escaped() {
    let report = report();
    let documents = report.components.iter().map(|of| component(&report, &of.name, Span::Start).unwrap());
    let documents: Vec<_> =
        documents.chain([summary(&report, true, Span::Start), summary(&empty(), true, Span::Hour)]).collect();
    for columns in (40..220).step_by(7) {
        for document in &documents {
            let text = text(document, columns);
            let wide = text.lines().find(|line| width(line) > columns);
            assert_eq!(wide, None, "{columns}\n{text}");
            assert!(!text.chars().any(|char| char.is_control() && char != '\n'), "{text:?}");
        }
    }
}

#[test]
fn columns_go_the_least_important_first_and_are_named() {
    let report = report();
    let heading = |columns: usize| {
        let text = text(&summary(&report, true, Span::Start), columns);
        text.lines()
            .find(|line| line.starts_with("component"))
            .unwrap()
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let all = heading(200);
    assert_eq!(all.len(), 13);
    for columns in [60, 80, 120] {
        let shown = heading(columns);
        assert!(shown.len() < all.len() && shown.iter().all(|column| all.contains(column)), "{shown:?}");
        let note = text(&summary(&report, true, Span::Start), columns);
        let note: String =
            note.split("not shown in").nth(1).unwrap().split("findings").next().unwrap().to_owned();
        let missing: Vec<_> = all.iter().filter(|column| !shown.contains(column)).collect();
        assert!(missing.iter().all(|column| note.contains(column.as_str())), "{note} {missing:?}");
    }
    assert!(heading(60).contains(&"p95".to_owned()), "what is slow is seen on any terminal");
}

#[test]
fn components_are_sorted_by_busy_time_and_then_by_name() {
    let report = report();
    let text = text(&summary(&report, true, Span::Start), 200);
    let place = |name: &str| text.lines().position(|line| line.contains(name)).unwrap();
    assert!(place("tool search") < place("tool add"), "{text}");
    assert!(
        place("tool add") < place("resource reads") && place("resource reads") < place("prompt über"),
        "{text}"
    );
    assert!(place("prompt über") < place("tool hangs"), "{text}");
}

#[test]
fn what_was_not_measured_is_no_number() {
    let mut report = report();
    report.counts_allocations = false;
    for window in report.components.iter_mut().flat_map(|component| component.windows.values_mut()) {
        window.allocated_bytes = None;
    }
    let text = text(&summary(&report, true, Span::Start), 200);
    let cells = |name: &str| {
        text.lines()
            .find(|line| line.contains(name))
            .unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let hangs = ["tool", "hangs", "0", "0", "-", "-", "-", "-", "-", "-", "0", "-", "-", "0"];
    assert_eq!(cells("tool hangs"), hangs);
    // Seven calls have no 95th percentile.
    assert_eq!(cells("tool add")[6..11], ["2.00", "ms", "-", "-", "18.0"]);
    assert!(text.contains("allocations: not counted"));
}

#[test]
fn every_row_of_markdown_has_the_cells_of_its_heading() {
    let mut report = report();
    report.components[0].name = "a|b\n| c \u{1b}[31m".to_owned();
    report.statements[0].fingerprint = "SELECT a || b -- `".to_owned();
    for text in [
        summary(&report, true, Span::Start).markdown(),
        component(&report, "search", Span::Start).unwrap().markdown(),
    ] {
        let mut tables = BTreeMap::new();
        let mut table = 0;
        for line in text.lines() {
            let cells = line.replace("\\|", "").matches('|').count();
            match cells {
                0 => table += 1,
                _ => tables.entry(table).or_insert_with(Vec::new).push(cells),
            }
        }
        assert!(tables.len() >= 2, "{text}");
        assert!(
            tables.values().all(|rows| rows.len() >= 3 && rows.iter().all(|cells| *cells == rows[0])),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn bold_type_is_in_headings_alone_and_only_where_it_is_wanted() {
    let document = summary(&report(), true, Span::Start);
    let bold = document.text(Look { width: Some(80), bold: true });
    let plain = bold.replace("\x1b[1m", "").replace("\x1b[0m", "");
    assert_eq!(plain, text(&document, 80));
    assert!(bold.starts_with("\x1b[1mshop 1.2.0, process 4711 (runs)"), "{bold}");
}

#[test]
fn a_name_may_say_its_kind() {
    let mut report = report();
    report.components[3].name = "search".to_owned();
    let shown = |name: &str| component(&report, name, Span::Start).map(|document| text(&document, 200));
    let both = shown("search").unwrap();
    assert!(
        both.contains("tool search, src/tools.rs:12") && both.contains("prompt search, src/prompts.rs:12"),
        "{both}"
    );
    let one = shown("prompt search").unwrap();
    assert!(!one.contains("tool search") && one.contains("prompt search"), "{one}");
    assert_eq!(shown("sear"), None);
}
