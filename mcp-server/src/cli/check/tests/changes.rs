//! What goes wrong, which line says so, and how.

use std::collections::BTreeSet;

use mcp_core::profile::sql::State as Sql;
use serde_json::json;

use super::super::facts::{APP, File};
use super::super::security::KNOWN;
use super::super::verdict::{Group, State, Verdict};
use super::ready::{TOKEN, component, database, finding, past, redis, seen};
use super::{Change, judged};

/// What goes wrong, which line says so, and how.
const CHANGES: &[(Change, Group, &str, State)] = {
    use Group::{Build, Cache, Components, Profiler, Running, Security, Settings};
    use State::{Fail, Pass, Skip, Warn};

    &[
        (|f| f.build.debug = true, Build, "debug assertions", Fail),
        (|f| f.build.aborts = true, Build, "panics", Fail),
        (|f| f.build.counted = false, Build, "allocations", Warn),
        (|f| f.mistakes = vec!["mcp.toml: unknown setting `x`".into()], Settings, "configuration", Fail),
        (|f| f.config.enabled = false, Settings, "enabled", Fail),
        (|f| f.file.as_mut().unwrap().mode = 0o640, Settings, "mcp.toml", Warn),
        (|f| f.file.as_mut().unwrap().mode = 0o604, Settings, "mcp.toml", Fail),
        (
            |f| *f.file.as_mut().unwrap() = File { mode: 0o644, secrets: vec![APP] },
            Settings,
            "mcp.toml",
            Warn,
        ),
        (|f| f.machine.files = Some(1_024), Settings, "open files", Warn),
        (|f| f.machine.memory = Some((16 << 20, "machine")), Settings, "cache memory", Warn),
        (|f| f.machine.memory = Some((10 << 20, "machine")), Settings, "cache memory", Fail),
        (|f| f.config.monitoring_enabled = false, Settings, "monitoring", Warn),
        (|f| f.config.monitoring_sample_rate = 0.11, Settings, "sample rate", Warn),
        (|f| f.config.slow_threshold = std::time::Duration::ZERO, Settings, "slow calls", Warn),
        (|f| f.config.auth_tokens[0].1.truncate(31), Security, "secrets", Warn),
        (|f| f.config.auth_tokens[0].1 = "01".repeat(20), Security, "secrets", Warn),
        (|f| f.config.cache_secret = Some(KNOWN[0].into()), Security, "secrets", Warn),
        (|f| f.config.admin_token = None, Security, "admin", Fail),
        (|f| f.config.admin_token.as_mut().unwrap().truncate(31), Security, "admin", Fail),
        (|f| f.config.allowed_origins.push("null".into()), Security, "origins", Fail),
        (|f| f.config.allowed_origins.push("*".into()), Security, "origins", Warn),
        (|f| f.config.allowed_origins.push("https://*.example".into()), Security, "origins", Warn),
        (|f| f.auth_mistake = Some("`auth_issuer` is set: write".into()), Security, "issuer", Fail),
        (|f| f.config.alert_webhook = Some("http://hooks.example".into()), Security, "webhook", Warn),
        (|f| f.config.cache_enabled = false, Cache, "enabled", Warn),
        (|f| f.redis = Some(Err("connection refused".into())), Cache, "redis", Fail),
        (|f| redis(f).policy = Some("noeviction".into()), Cache, "redis memory", Warn),
        (|f| redis(f).policy = Some("allkeys-lru".into()), Cache, "redis memory", Warn),
        (|f| redis(f).ahead_ms = Some(2_001), Cache, "redis clock", Warn),
        (|f| f.config.cache_redis_url = Some("redis://u:p@a.example".into()), Cache, "redis access", Warn),
        (|f| f.config.cache_redis_url = Some("rediss://a.example".into()), Cache, "redis access", Warn),
        (|f| f.database = Some(Err("no such folder".into())), Cache, "database", Fail),
        (|f| database(f).anew = Some("its tables are of another version"), Cache, "database", Warn),
        (|f| database(f).network = Some("nfs4".into()), Cache, "database file", Warn),
        (|f| f.config.cache_encrypt = false, Cache, "private results", Warn),
        (|f| f.overhead = Some((941, 640)), Profiler, "overhead", Warn),
        (|f| f.overhead = Some((940, 640)), Profiler, "overhead", Pass),
        (|f| f.overhead = Some((1_640, 640)), Profiler, "overhead", Warn),
        (|f| f.overhead = Some((1_641, 640)), Profiler, "overhead", Fail),
        (|f| f.overhead = Some((2_600, 1_300)), Profiler, "overhead", Warn),
        (|f| f.overhead = None, Profiler, "overhead", Skip),
        (|f| f.sql = Sql::Blocked { note: "a filter: let it through".into() }, Profiler, "statements", Warn),
        (
            |f| f.webhook_mistake = Some("`alert_webhook` is no URL: write one".into()),
            Profiler,
            "alerts",
            Fail,
        ),
        (
            |f| f.collectors = Err("OTLP over HTTP alone: write `http/protobuf`".into()),
            Profiler,
            "collector",
            Fail,
        ),
        (|f| component(f).is_described = false, Components, "descriptions", Warn),
        (|f| component(f).is_hinted = false, Components, "hints", Warn),
        (|f| component(f).has_timeout = false, Components, "timeouts", Warn),
        (|f| f.running = vec![Err("12: no answer".into())], Running, "process", Fail),
        (|f| f.running = Vec::new(), Running, "process", Skip),
        (|f| f.version = "1.3.0".into(), Running, "process", Warn),
        (|f| f.running = seen("/dropped/slow_calls", json!(3)), Running, "dropped", Warn),
        (|f| f.running = seen("/dropped/alerts", json!(1)), Running, "dropped", Warn),
        (|f| f.running = seen("/dropped/history", json!(1)), Running, "dropped", Warn),
        (|f| f.running = seen("/cache/evicted", json!(11)), Running, "evictions", Warn),
        (|f| f.running = seen("/sql/unattributed", json!(1)), Running, "statements", Warn),
        (|f| f.running = seen("/components/0/windows/1h/outcomes/error", json!(11)), Running, "errors", Warn),
        (|f| f.running = seen("/findings", json!([finding()])), Running, "finding", Warn),
        (|f| f.history = Some(Err("timed out".into())), Running, "unused", Warn),
        (|f| past(f).days = Some(6), Running, "unused", Skip),
        (|f| drop(past(f).called.pop_first()), Running, "unused", Warn),
        // What is right in another way.
        (|f| f.config.admin_token = Some(TOKEN.into()), Security, "admin", Pass),
        (|f| f.config.admin = Some("[::1]:9090".into()), Security, "admin", Pass),
        (|f| f.machine.files = Some(u64::MAX), Settings, "open files", Pass),
        (|f| f.file.as_mut().unwrap().secrets.clear(), Settings, "mcp.toml", Pass),
        (|f| redis(f).max_memory = Some(0), Cache, "redis memory", Pass),
        (|f| redis(f).version = None, Cache, "redis", Pass),
        (|f| database(f).exists = false, Cache, "database", Pass),
        (|f| f.counter = false, Profiler, "clock", Pass),
    ]
};

#[test]
fn each_misconfiguration_changes_its_line_and_no_other() {
    let lines = |verdicts: &[Verdict]| -> BTreeSet<(String, &'static str, &'static str)> {
        let line = |verdict: &Verdict| (verdict.group.word().to_owned(), verdict.name, verdict.state.word());
        verdicts.iter().map(line).collect()
    };
    let ready = lines(&judged(|_| {}));
    for (number, (change, group, name, state)) in CHANGES.iter().enumerate() {
        let verdicts = judged(change);
        let now = lines(&verdicts);
        let line = (group.word().to_owned(), *name, state.word());
        assert!(now.contains(&line), "{number}: {line:?} is not among {now:#?}");
        let worse: Vec<_> =
            now.difference(&ready).filter(|(_, _, state)| *state != "SKIP" && *state != "PASS").collect();
        let expected: Vec<_> =
            Some(&line).filter(|_| matches!(state, State::Warn | State::Fail)).into_iter().collect();
        assert_eq!(worse, expected, "{number}: {name}");
        for verdict in verdicts.iter().filter(|verdict| matches!(verdict.state, State::Warn | State::Fail)) {
            assert!(verdict.fix.as_ref().is_some_and(|fix| !fix.is_empty()), "{verdict:?}");
        }
    }
}
