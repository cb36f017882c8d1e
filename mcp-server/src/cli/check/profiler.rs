//! Whether what goes wrong will be known.

use mcp_core::profile::sql::State;

use super::facts::{Collector, Facts};
use super::verdict::{Group, Verdict};

const OF: Group = Group::Profiler;

/// What the profiler adds to a call where nothing else is busy, in nanoseconds: 100 in a loop of its own, and more
/// within a server.
const USUAL: u64 = 300;

/// Above this it is too much, where it is more than the call itself: a machine that is slow, or shared, makes both slow.
const MOST: u64 = 1_000;

pub(super) fn judge(facts: &Facts) -> Vec<Verdict> {
    let mut all = vec![clock(facts), overhead(facts), statements(&facts.sql), alerts(facts)];
    all.extend(collectors(facts));
    all
}

fn clock(facts: &Facts) -> Verdict {
    if facts.counter {
        return OF.pass("clock", "the processor's counter");
    }
    OF.pass("clock", "`Instant`, some 30 ns a look: the kernel does not trust the processor's counter")
}

fn overhead(facts: &Facts) -> Verdict {
    let name = "overhead";
    let Some((on, off)) = facts.overhead else {
        return OF.skip(name, "not measured: this is a debug build");
    };
    let more = on.saturating_sub(off);
    let found = format!("{more} ns a call: {on} ns with the profiler, {off} ns without");
    let fix = "`check` again when the machine is idle; `MCP_MONITORING_ENABLED=false` switches it off";
    match more {
        more if more > MOST && more > off => OF.fail(name, format!("{found}; {USUAL} ns are usual"), fix),
        more if more > USUAL => OF.warn(name, format!("{found}; {USUAL} ns are usual"), fix),
        _ => OF.pass(name, found),
    }
}

fn statements(state: &State) -> Verdict {
    let name = "statements";
    match state.note() {
        None => OF.pass(name, "those of sqlx are heard, and belong to their calls"),
        Some(note) => {
            let (found, fix) =
                note.split_once(": ").unwrap_or((note, "add `mcp_core::profile::sql::layer()`"));
            OF.warn(name, format!("those of sqlx are not heard: {found}"), fix)
        }
    }
}

fn alerts(facts: &Facts) -> Verdict {
    let name = "alerts";
    if let Some(mistake) = &facts.webhook_mistake {
        return OF.mistake(name, mistake);
    }
    if facts.config.alert_webhook.is_some() {
        return OF.pass(name, "in the log, and posted");
    }
    let feature = if cfg!(feature = "webhook") { "" } else { ", with the feature `webhook` of `mcp-server`" };
    OF.warn(
        name,
        "in the log alone",
        format!("set `MCP_ALERT_WEBHOOK` to the URL of a chat or a pager{feature}"),
    )
}

fn collectors(facts: &Facts) -> Vec<Verdict> {
    let name = "collector";
    let all = match &facts.collectors {
        Ok(all) => all,
        Err(mistake) => return vec![OF.mistake(name, mistake)],
    };
    if !cfg!(feature = "otlp") {
        let first = all.first().map(|collector| {
            let found = format!("`{}` is set, and nothing is sent", collector.variable);
            OF.warn(name, found, "build with the feature `otlp` of `mcp-server`, or unset it")
        });
        return first.into_iter().collect();
    }
    all.iter().map(collector).collect()
}

fn collector(collector: &Collector) -> Verdict {
    let Collector { variable, place, answer } = collector;
    match answer {
        Ok(()) => OF.pass("collector", format!("`{place}` takes connections")),
        Err(error) => OF.fail(
            "collector",
            format!("`{place}` does not answer: {error}"),
            format!("start the collector, or correct `{variable}`"),
        ),
    }
}
