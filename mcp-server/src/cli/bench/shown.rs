//! What was measured, to be read: as a table or as Markdown.

use super::compare::{Changed, Comparison, Times, Verdict};
use super::figures::Figure;
use super::file::{Component, Pass, Run};
use super::samples::Percentiles;
use super::target::Skipped;
use crate::text_report::{Column, Document, Table, bytes, counted, number, percent, time};

const TIMES: [Column; 10] = [
    Column::text("component").elastic(20),
    Column::text("pass"),
    Column::number("calls").rank(4),
    Column::number("calls/s"),
    Column::number("p50"),
    Column::number("p90").rank(2),
    Column::number("p99"),
    Column::number("p99.9").rank(1),
    Column::number("max").rank(3),
    Column::number("failed"),
];

const FIGURES: [Column; 7] = [
    Column::text("component").elastic(20),
    Column::text("pass"),
    Column::number("busy/call").rank(3),
    Column::number("polls/call").rank(1),
    Column::number("alloc/call"),
    Column::number("bytes/call").rank(2),
    Column::number("sql/call"),
];

const COMPARED: [Column; 7] = [
    Column::text("component").elastic(20),
    Column::text("pass"),
    Column::number("before").rank(2),
    Column::number("now").rank(3),
    Column::number("change"),
    Column::number("95 % interval").rank(1),
    Column::text("verdict"),
];

/// Shows a run, and what became of an earlier one.
pub(super) fn document(run: &Run, skipped: &[Skipped], compared: Option<&Comparison>) -> Document {
    let mut document = Document::default();
    let how = &run.how;
    let over = match how.over.as_str() {
        "process" => "in process".to_owned(),
        over => format!("over {over}"),
    };
    let connections = counted(how.connections as u64, "connection", "connections");
    document.line(match how.rate {
        None => format!("{over}, {connections}, closed loop: each connection waits for its answer"),
        Some(rate) => format!(
            "{over}, {connections}, open loop: {} calls a second, timed from when each was to begin",
            number(rate)
        ),
    });
    document.line(run.machine.line());
    if run.machine.is_debug() {
        document.line("this is a debug build: its times say little of a release build");
    }
    let passes: Vec<_> = run
        .components
        .iter()
        .flat_map(|component| component.passes.iter().map(move |pass| (component, pass)))
        .collect();
    document.table(Table::new(TIMES, passes.iter().map(|(component, pass)| times(component, pass))));
    // Where it did not run it used nothing.
    let ran = passes.iter().filter(|(_, pass)| pass.pass != "warm");
    let figures: Vec<_> = ran.filter_map(|(component, pass)| figures(component, pass)).collect();
    if !figures.is_empty() {
        document.heading("what the function uses");
        let has = |mark: char| figures.iter().flatten().any(|cell| cell.starts_with(mark));
        let (varies, few) = (has('~'), has('?'));
        document.table(Table::new(FIGURES, figures.into_iter()));
        if varies {
            document.line("~ varies from call to call, and is not compared");
        }
        if few {
            document
                .line("? too few calls to say whether it varies: not compared; write a longer `--duration`");
        }
    }
    passes.iter().for_each(|(component, pass)| remarks(component, pass, &mut document));
    if let Some(compared) = compared {
        comparison(compared, &mut document);
    }
    if !skipped.is_empty() {
        document.heading("not called");
        skipped.iter().for_each(|skipped| document.item(format!("{}: {}", skipped.component, skipped.why)));
    }
    document
}

fn times(component: &Component, pass: &Pass) -> [String; 10] {
    let of = |nanos: fn(&Percentiles) -> u64| {
        pass.times.as_ref().map_or_else(|| "-".to_owned(), |times| time(nanos(times)))
    };
    [
        component.title(),
        pass.pass.clone(),
        pass.calls.to_string(),
        number(pass.calls_per_second),
        of(|times| times.p50_ns),
        of(|times| times.p90_ns),
        of(|times| times.p99_ns),
        of(|times| times.p999_ns),
        of(|times| times.max_ns),
        pass.failed.to_string(),
    ]
}

fn figures(component: &Component, pass: &Pass) -> Option<[String; 7]> {
    let figures = pass.figures.as_ref()?;
    let shown = |figure: &Figure, text: fn(f64) -> String| match figure.exact {
        Some(exact) => text(exact as f64),
        None if figures.too_few_calls => format!("?{}", text(figure.mean)),
        None => format!("~{}", text(figure.mean)),
    };
    let count = |figure: &Figure| {
        shown(figure, |value| if value.fract() == 0.0 { format!("{value:.0}") } else { number(value) })
    };
    let counted = |figure: &Option<Figure>| figure.as_ref().map_or_else(|| "-".to_owned(), count);
    let size = figures.bytes.as_ref().map_or_else(|| "-".to_owned(), |figure| shown(figure, bytes));
    Some([
        component.title(),
        pass.pass.clone(),
        time(figures.busy_ns as u64),
        count(&figures.polls),
        counted(&figures.allocations),
        size,
        count(&figures.statements),
    ])
}

/// Says what is to be known of a pass beside its numbers.
fn remarks(component: &Component, pass: &Pass, document: &mut Document) {
    let title = format!("{}, {}", component.title(), pass.pass);
    if let Some(why) = &pass.first_failure {
        let failed = counted(pass.failed, "call failed", "calls failed");
        document.item(format!("{title}: {failed}, the first with: {why}"));
    }
    if pass.others > pass.calls / 10 {
        let others = counted(pass.others, "answer was", "answers were");
        let wanted = if pass.pass == "cold" { "from the cache" } else { "not from the cache" };
        document.item(format!("{title}: {others} {wanted}, and not counted"));
    }
    if let Some(behind) = pass.behind {
        document.item(format!(
            "{title}: the rate was not held: {} behind at the end, {} not begun, so that times are too good: write a lower `--rate`, or more `--connections`",
            time(behind.late_ns),
            counted(behind.not_begun, "call", "calls")
        ));
    }
}

fn comparison(compared: &Comparison, document: &mut Document) {
    document.heading("against the baseline");
    if !compared.refused.is_empty() {
        let forced =
            if compared.times.is_empty() { "times are not compared" } else { "times are compared by force" };
        document.line(format!("{forced}; {}", compared.refused.join("; ")));
    }
    if !compared.times.is_empty() {
        document.table(Table::new(COMPARED, compared.times.iter().map(changed)));
    }
    for Changed { component, pass, figure, before, now } in &compared.figures {
        let verdict = if now > before { "worse" } else { "better" };
        document.item(format!("{component}, {pass}: {before} {figure} a call, now {now}: {verdict}"));
    }
    for (names, what) in [
        (&compared.added, "is not in the baseline"),
        (&compared.missing, "is in the baseline, and is not there now"),
        (&compared.not_asked, "is in the baseline, and was not asked for now"),
    ] {
        names.iter().for_each(|name| document.item(format!("{name}: {what}")));
    }
}

fn changed(times: &Times) -> [String; 7] {
    let signed = |ratio: f64| {
        let change = ratio - 1.0;
        format!("{}{} %", if change < 0.0 { "-" } else { "+" }, percent(change.abs()))
    };
    let verdict = match times.verdict {
        Verdict::Same => "no change that counts",
        Verdict::Slower => "slower",
        Verdict::Faster => "faster",
        Verdict::Unclear => "too few calls: write a longer `--duration`",
    };
    [
        times.component.clone(),
        times.pass.clone(),
        time(times.before_ns),
        time(times.now_ns),
        signed(times.ratio),
        format!("{} to {}", signed(times.low), signed(times.high)),
        verdict.to_owned(),
    ]
}
