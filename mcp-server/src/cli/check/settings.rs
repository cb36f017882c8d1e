//! The settings themselves, and whether the machine has what they ask for.

use super::facts::{APP, Facts};
use super::verdict::{Group, Verdict};
use crate::text_report::{bytes, percent};

const OF: Group = Group::Settings;

/// How many files a server has open beside one for each call: levels, listeners, logs.
const OWN_FILES: u64 = 64;

/// The share of calls above which taking the processor time shows.
const MOST_SAMPLED: f64 = 0.1;

pub(super) fn judge(facts: &Facts) -> Vec<Verdict> {
    let mut all = mistakes(facts);
    all.push(enabled(facts));
    all.extend(file(facts));
    all.extend(files(facts));
    all.extend(memory(facts));
    all.push(monitoring(facts));
    all.push(sampled(facts));
    all.push(slow(facts));
    all
}

/// What was mistaken where it was read, and what keeps the server from starting.
fn mistakes(facts: &Facts) -> Vec<Verdict> {
    let read = facts.mistakes.iter().map(|mistake| {
        // They begin with where it stands: `mcp.toml`, a variable or a flag.
        let place = mistake.split([':', ' ']).next().unwrap_or_default();
        OF.fail("configuration", mistake, format!("correct `{place}`"))
    });
    let start = facts.start.iter().map(|mistake| OF.mistake("start", mistake));
    let mut all: Vec<_> = read.chain(start).collect();
    if all.is_empty() {
        all.push(OF.pass("configuration", "every setting is understood"));
    }
    all
}

fn enabled(facts: &Facts) -> Verdict {
    if facts.config.enabled {
        return OF.pass("enabled", "the server answers calls");
    }
    OF.fail("enabled", "false: the server does not start", "set `MCP_ENABLED=true`, or remove it")
}

fn file(facts: &Facts) -> Option<Verdict> {
    let file = facts.file.as_ref()?;
    let name = "mcp.toml";
    if file.secrets.is_empty() {
        return Some(OF.pass(name, "holds no secret"));
    }
    let (mode, secrets) = (file.mode, file.secrets.join("`, `"));
    let found = |who: &str| format!("mode {mode:03o}, holds `{secrets}`: {who}");
    let fix = "`chmod 600 mcp.toml`";
    // What the program's own settings are is not known: that is no failure.
    let known = file.secrets != [APP];
    let found = |who: &str| if known { found(who) } else { format!("{} (if they are secret)", found(who)) };
    Some(match (mode & 0o007 != 0, mode & 0o070 != 0) {
        (true, _) if known => OF.fail(name, found("every user of this machine may read them"), fix),
        (true, _) => OF.warn(name, found("every user of this machine may read them"), fix),
        (_, true) => OF.warn(name, found("all of its group may read them"), fix),
        _ => OF.pass(name, found("its owner alone may read them")),
    })
}

fn files(facts: &Facts) -> Option<Verdict> {
    let name = "open files";
    let most = facts.machine.files?;
    let calls = u64::from(facts.config.max_concurrency);
    let needed = calls + u64::from(facts.config.db_pool_size) + OWN_FILES;
    Some(match most {
        u64::MAX => OF.pass(name, format!("no limit, for {calls} calls at once")),
        most if most >= needed => OF.pass(name, format!("at most {most}, for {calls} calls at once")),
        most => OF.warn(
            name,
            format!("at most {most}, fewer than {calls} calls at once may need"),
            format!("`ulimit -n {}` (systemd: `LimitNOFILE=`), or a lower `MCP_MAX_CONCURRENCY`", needed * 4),
        ),
    })
}

fn memory(facts: &Facts) -> Option<Verdict> {
    let name = "cache memory";
    let (most, who) = facts.machine.memory.filter(|_| facts.config.cache_enabled)?;
    let wanted = facts.config.cache_memory_bytes;
    let found = format!("{} of the {} that the {who} has", bytes(wanted as f64), bytes(most as f64));
    let fix = format!("set `MCP_CACHE_MEMORY_BYTES` to {} at most", most / 4);
    Some(match wanted {
        wanted if wanted >= most => OF.fail(name, found, fix),
        wanted if wanted > most / 2 => OF.warn(name, found, fix),
        _ => OF.pass(name, found),
    })
}

fn monitoring(facts: &Facts) -> Verdict {
    if facts.config.monitoring_enabled {
        return OF.pass("monitoring", "calls are counted and timed");
    }
    OF.warn(
        "monitoring",
        "off: what is slow or fails will not be known",
        "set `MCP_MONITORING_ENABLED=true`, or remove it",
    )
}

fn sampled(facts: &Facts) -> Verdict {
    let rate = facts.config.monitoring_sample_rate;
    let found = format!("the processor time of {} % of the calls is taken", percent(rate));
    if rate <= MOST_SAMPLED {
        return OF.pass("sample rate", found);
    }
    OF.warn("sample rate", found, format!("set `MCP_MONITORING_SAMPLE_RATE={MOST_SAMPLED}`, or remove it"))
}

fn slow(facts: &Facts) -> Verdict {
    let limit = facts.config.slow_threshold;
    if limit.is_zero() {
        return OF.warn("slow calls", "from 0 s on: every call is slow", "set `MCP_SLOW_THRESHOLD=1s`");
    }
    OF.pass("slow calls", format!("from {limit:?} on, where a component says nothing"))
}
