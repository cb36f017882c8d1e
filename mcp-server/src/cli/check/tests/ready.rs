//! A server that is ready, and what it is asked for: the tests change one thing of it at a time.

use mcp_core::Config;
use mcp_core::policy::{CachePolicy, Levels, Scope};
use mcp_core::profile::Report;
use mcp_core::profile::sql::State as Sql;
use serde_json::{Value, json};

use super::super::facts::{Build, Collector, Component, DatabaseSeen, Facts, File, Past, RedisSeen};
use super::super::machine::Machine;

pub(super) const TOKEN: &str = "9f86d081884c7d659a2feaa0c55ad015";

/// A server that is ready, with everything that there is to be looked at.
pub(super) fn ready() -> Facts {
    let mut config = Config::default();
    config.cache_redis_url = Some("rediss://shop:s3cret@cache.example:6380".to_owned());
    config.cache_database_url = Some("sqlite://results.db".to_owned());
    config.cache_secret = Some(TOKEN.to_owned());
    config.cache_encrypt = true;
    config.allowed_hosts = vec!["localhost".to_owned(), "shop.example:8443".to_owned()];
    config.allowed_origins = vec!["https://app.example".to_owned(), "https://dev.example:*".to_owned()];
    config.auth_tokens = vec![("alice".to_owned(), TOKEN.to_owned())];
    config.auth_issuer = Some("https://login.example".to_owned());
    config.auth_audience = Some("https://shop.example/mcp".to_owned());
    config.admin = Some("0.0.0.0:9090".to_owned());
    config.admin_token = Some(TOKEN.to_owned());
    config.alert_webhook = Some("https://hooks.example/s3cret".to_owned());
    let component = |kind, name: &str, cache| Component {
        kind,
        name: name.to_owned(),
        is_described: true,
        is_hinted: true,
        has_timeout: true,
        is_expected: true,
        cache,
    };
    let policy = CachePolicy::new();
    Facts {
        name: "shop".to_owned(),
        version: "1.2.0".to_owned(),
        build: Build { debug: false, aborts: false, counted: true },
        config,
        mistakes: Vec::new(),
        start: Vec::new(),
        file: Some(File { mode: 0o600, secrets: vec!["cache_secret", "auth_tokens"] }),
        machine: Machine { files: Some(65_536), memory: Some((4 << 30, "control group")) },
        own_authenticator: false,
        auth_mistake: None,
        webhook_mistake: None,
        redis: Some(Ok(RedisSeen {
            version: Some("Redis 8.2.1".to_owned()),
            max_memory: Some(1 << 30),
            policy: Some("volatile-lru".to_owned()),
            ahead_ms: Some(-12),
        })),
        database: Some(Ok(DatabaseSeen { exists: true, anew: None, network: None })),
        counter: true,
        overhead: Some((780, 640)),
        sql: Sql::On,
        collectors: Ok(vec![Collector {
            variable: "OTEL_EXPORTER_OTLP_ENDPOINT",
            place: "collector.example:4318".to_owned(),
            answer: Ok(()),
        }]),
        components: Some(vec![
            component("tool", "search", Some(policy.scope(Scope::Public).levels(Levels::Shared))),
            component("tool", "orders", Some(policy)),
            component("resource", "logo", None),
        ]),
        running: vec![Ok(running(json!({})))],
        history: Some(Ok(Past {
            days: Some(7),
            called: [("tool", "search"), ("tool", "orders"), ("resource", "logo")]
                .map(|(kind, name)| (kind.to_owned(), name.to_owned()))
                .into(),
        })),
    }
}

/// What a server measured that does well, but for some changes.
pub(super) fn running(changes: Value) -> Report {
    let window = |calls: u64, errors: u64| {
        json!({ "seconds": 3600.0, "calls": calls, "outcomes": { "ok": calls - errors, "error": errors }, "cache": {},
                "phases_ns": {}, "busy_ns": 0, "polls": 0, "longest_poll_ns": 0, "cpu_ns": 0, "cpu_busy_ns": 0,
                "queries": 0, "query_ns": 0, "slow_queries": 0, "repeated_queries": 0, "slow_calls": 0 })
    };
    let component = |name: &str, hour: (u64, u64), start: (u64, u64)| {
        json!({ "kind": "tool", "name": name, "place": "src/tools.rs:12", "active": 0, "slow_ns": 0, "spark": [],
                "windows": { "1h": window(hour.0, hour.1), "start": window(start.0, start.1) } })
    };
    let mut report = json!({
        "server": "shop", "version": "1.2.0", "instance": "x", "pid": 4711, "started_ms": 0, "at_ms": 7_500_000,
        "profiling": true, "sample_rate": 0.1, "counts_allocations": true, "slow": [], "statements": [],
        "sql": { "state": "on", "note": null, "unattributed": 0 }, "findings": [],
        "pool": { "waits": 0, "total_ns": 0, "max_ns": 0 },
        // What failed before the last hour, and 1 of 2 calls, are no reason.
        "components": [component("search", (1_000, 10), (2_000, 900)), component("orders", (2, 1), (2, 1))],
        "cache": { "evicted": 10, "stored": 100, "capacity": 10_485_760 }, "runtime": null,
        "dropped": { "slow_calls": 0, "statements": 0, "alerts": 0, "active": 0, "history": 0 },
    });
    for (pointer, value) in changes.as_object().unwrap() {
        *report.pointer_mut(pointer).unwrap() = value.clone();
    }
    serde_json::from_value(report).unwrap()
}

pub(super) fn redis(facts: &mut Facts) -> &mut RedisSeen {
    facts.redis.as_mut().unwrap().as_mut().unwrap()
}

pub(super) fn database(facts: &mut Facts) -> &mut DatabaseSeen {
    facts.database.as_mut().unwrap().as_mut().unwrap()
}

pub(super) fn component(facts: &mut Facts) -> &mut Component {
    &mut facts.components.as_mut().unwrap()[1]
}

pub(super) fn past(facts: &mut Facts) -> &mut Past {
    facts.history.as_mut().unwrap().as_mut().unwrap()
}

pub(super) fn seen(pointer: &str, value: Value) -> Vec<Result<Report, String>> {
    vec![Ok(running(json!({ pointer: value })))]
}

pub(super) fn finding() -> Value {
    json!({ "kind": "repeated_sql", "component": "tool search", "place": "src/tools.rs:12", "after": null,
            "says": "20 times the same statement", "fix": "ask for all rows at once", "times": 3, "last_ms": 0,
            "call": null })
}
