//! Every misconfiguration changes its line and no other; the texts in `golden` are to be read.
//!
//! In reading order: `ready` is a server where all is well, `changes` what may go wrong with it; what takes more than
//! one change follows here.

mod ready;

mod changes;

use mcp_core::policy::{CachePolicy, Levels};
use serde_json::{Value, json};

use super::facts::Facts;
use super::report;
use super::verdict::{Group, State, Verdict};
use crate::settings::Settings;
use crate::text_report::Look;
use ready::{TOKEN, component, finding, past, ready, redis, seen};

/// One thing, or a few, that go wrong.
type Change = fn(&mut Facts);

fn judged(change: impl FnOnce(&mut Facts)) -> Vec<Verdict> {
    let mut facts = ready();
    change(&mut facts);
    report::judge(&facts)
}

#[test]
fn a_server_that_is_ready_passes_everywhere() {
    let others: Vec<_> = judged(|_| {}).into_iter().filter(|verdict| verdict.state != State::Pass).collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn who_may_call_from_elsewhere_has_to_say_who_it_is() {
    let hosts = |change: Change| {
        let found = judged(change).into_iter().find(|verdict| verdict.name == "hosts");
        found.unwrap().state
    };
    fn nobody_asks(facts: &mut Facts) {
        facts.config.auth_tokens.clear();
        facts.config.auth_issuer = None;
    }
    assert_eq!(hosts(nobody_asks), State::Fail);
    assert_eq!(hosts(|f| (nobody_asks(f), f.own_authenticator = true).1), State::Pass);
    // Where it listens is not known here, and `Host` is what the caller writes.
    assert_eq!(hosts(|f| (nobody_asks(f), f.config.allowed_hosts = vec!["[::1]:80".into()]).1), State::Skip);
    assert_eq!(hosts(|f| f.config.allowed_hosts = vec!["[::1]:80".into()]), State::Pass);
}

#[test]
fn what_is_not_counted_or_not_listed_is_not_told_to_be_unused() {
    let unused = |expected: bool| {
        let change = |f: &mut Facts| {
            past(f).called.clear();
            f.components.as_mut().unwrap().iter_mut().skip(1).for_each(|one| one.is_expected = expected);
        };
        judged(change).into_iter().find(|verdict| verdict.name == "unused").unwrap().found
    };
    assert_eq!(unused(true), "without a call in 7 days: `search`, `orders`, `logo`");
    assert_eq!(unused(false), "without a call in 7 days: `search`");
}

#[test]
fn what_is_kept_nowhere_or_may_be_guessed_is_told() {
    let state = |name: &str, change: Change| {
        let found = judged(change).into_iter().find(|verdict| verdict.name == name);
        found.map(|verdict| (verdict.group, verdict.state))
    };
    fn alone(facts: &mut Facts) {
        (facts.redis, facts.database) = (None, None);
    }
    fn without_secret(facts: &mut Facts) {
        (facts.config.cache_secret, facts.config.cache_encrypt) = (None, false);
    }
    assert_eq!(state("private results", without_secret), Some((Group::Cache, State::Warn)));
    assert_eq!(
        state("private results", |f| (without_secret(f), f.config.cache_share_private = true).1),
        Some((Group::Cache, State::Warn))
    );
    assert_eq!(state("private results", alone), None, "they stay in memory");
    let levels = judged(alone).into_iter().filter(|verdict| verdict.name == "levels");
    let levels: Vec<_> = levels.map(|verdict| (verdict.group, verdict.state)).collect();
    assert_eq!(levels, [(Group::Cache, State::Skip), (Group::Components, State::Warn)]);
    // The one for shared levels alone is public, until it is not.
    let private = |f: &mut Facts| {
        without_secret(f);
        let shared = &mut f.components.as_mut().unwrap()[0];
        shared.cache = Some(CachePolicy::new().levels(Levels::Shared));
    };
    let levels = judged(private).into_iter().find(|verdict| verdict.name == "levels").unwrap();
    assert_eq!((levels.group, levels.state), (Group::Components, State::Warn));
    // On this machine nobody listens.
    let local = |f: &mut Facts| {
        f.config.cache_encrypt = false;
        f.config.cache_redis_url = Some("redis://127.0.0.1".to_owned());
    };
    let verdicts = judged(local);
    assert!(verdicts.iter().all(|verdict| verdict.state == State::Pass), "{verdicts:#?}");
}

#[cfg(feature = "otlp")]
#[test]
fn a_collector_that_is_away_fails() {
    let away =
        |f: &mut Facts| f.collectors.as_mut().unwrap()[0].answer = Err("connection refused".to_owned());
    let collector = judged(away).into_iter().find(|verdict| verdict.name == "collector").unwrap();
    assert_eq!(collector.state, State::Fail);
    assert_eq!(
        collector.fix.as_deref(),
        Some("start the collector, or correct `OTEL_EXPORTER_OTLP_ENDPOINT`")
    );
}

#[test]
fn nothing_linked_and_nothing_sorted_are_two_things() {
    let of = |change: Change| {
        let components = judged(change).into_iter().filter(|verdict| verdict.group == Group::Components);
        components.map(|verdict| (verdict.name, verdict.state)).collect::<Vec<_>>()
    };
    assert_eq!(of(|f| f.components = Some(Vec::new())), [("linked", State::Fail)]);
    assert_eq!(of(|f| (f.components = None, f.start = vec!["two tools are named `x`".into()]).0), []);
}

#[test]
fn the_text_fits_eighty_columns_and_no_secret_is_in_it() {
    let mut facts = ready();
    facts.build.debug = true;
    // As of `MCP_AUTH_TOKENS=czNjcmV0==`, without a name.
    facts.config.auth_tokens[0] = ("s3cret-s3cret".to_owned(), "=".to_owned());
    facts.config.admin_token = Some("s3cret-s3cret-s3cret".to_owned());
    redis(&mut facts).policy = Some("noeviction".to_owned());
    component(&mut facts).has_timeout = false;
    facts.running = seen("/findings", json!([finding()]));
    let mut settings = Settings::new();
    settings
        .read_environment([("MCP_CACHE_SECRET".to_owned(), "s3cret-s3cret-s3cret".to_owned())].into_iter());
    let verdicts = report::judge(&facts);
    let text = report::text(&verdicts, &settings, false).text(Look { width: Some(80), bold: false });
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/check/golden/check-80.txt");
    if std::env::var_os("MCP_BLESS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(golden == text, "`MCP_BLESS=1` writes it anew:\n{text}");
    let json = report::json(&verdicts, &settings).to_string();
    assert!(!text.contains("s3cret") && !json.contains("s3cret"), "{text}\n{json}");
    assert!(!text.contains(TOKEN) && !json.contains(TOKEN));
}

#[test]
fn json_has_a_version_each_check_and_all_settings() {
    let mut facts = ready();
    facts.build.debug = true;
    let verdicts = report::judge(&facts);
    assert!(report::failed(&verdicts));
    let json = report::json(&verdicts, &Settings::new());
    assert_eq!(json["version"], 1);
    assert_eq!(
        json["checks"][0],
        json!({ "group": "build", "name": "debug assertions", "state": "fail",
                "found": "on: this is a debug build, several times slower", "fix": "build with `--release`" })
    );
    assert_eq!((&json["checks"][1]["state"], &json["checks"][1]["fix"]), (&json!("pass"), &Value::Null));
    assert_eq!(json["checks"].as_array().unwrap().last().unwrap()["group"], "running server");
    assert_eq!(json["settings"]["max_concurrency"], json!({ "value": "1024", "from": "default" }));
    assert!(!report::failed(&judged(|_| {})));
}
