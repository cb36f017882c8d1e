//! What was measured in each hour.

use mcp_core::profile::history::Past;
use mcp_core::profile::{Latency, Outcome, Sum};

use super::document::Document;
use super::figures::share;
use super::table::{Column, Table};
use super::units::{percent, time};

const COLUMNS: [Column; 10] = [
    Column::text("hour (UTC)"),
    Column::text("component").elastic(24),
    Column::number("calls"),
    Column::number("ok %").rank(7),
    Column::number("p50").rank(5),
    Column::number("p95").rank(6),
    Column::number("p99").rank(4),
    Column::number("max").rank(3),
    Column::number("slow").rank(2),
    Column::number("processes").rank(1),
];

/// Shows the history, an hour of a component in each row.
pub(crate) fn hours(past: &[Past]) -> Document {
    let mut document = Document::default();
    if past.is_empty() {
        document.line("nothing was called in these hours");
    } else {
        document.table(Table::new(COLUMNS, past.iter().map(row)));
    }
    document
}

fn row(past: &Past) -> [String; 10] {
    let totals = &past.totals;
    let latency = Latency::of(&totals.wall()).unwrap_or_default();
    let or_none = |nanos: Option<u64>| nanos.map_or_else(|| "-".to_owned(), time);
    let ok = share(totals.ended(Outcome::Ok), totals.calls());
    [
        past.hour.to_string(),
        format!("{} {}", past.kind, past.name),
        totals.calls().to_string(),
        ok.map_or_else(|| "-".to_owned(), percent),
        or_none(Some(latency.p50_ns).filter(|_| latency.calls > 0)),
        or_none(latency.p95_ns),
        or_none(latency.p99_ns),
        or_none(Some(latency.max_ns).filter(|_| latency.calls > 0)),
        totals.sum(Sum::SlowCalls).to_string(),
        past.instances.to_string(),
    ]
}
