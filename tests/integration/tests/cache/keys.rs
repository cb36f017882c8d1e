//! Which calls share a result: through attributes and types, as clients write their arguments.

use mcp_server::serde_json::{self, Value, json};
use proptest::prelude::*;

use super::components::{self, Search};
use super::lab::Bench;

/// Calls a tool with each of these arguments and returns which run answered it.
async fn runs(name: &str, arguments: impl IntoIterator<Item = Value>) -> Vec<String> {
    let bench = Bench::new();
    let mut runs = Vec::new();
    for arguments in arguments {
        let told = bench.call(name, arguments).await;
        runs.push(told.rsplit_once('#').map_or(told.clone(), |(_, run)| run.to_owned()));
    }
    runs
}

#[tokio::test]
async fn p02_variants_that_read_equally_share_one_result() {
    for (name, variants) in [
        (
            "typed",
            vec![
                json!({ "a": "x" }),
                json!({ "n": 0, "a": "x" }),
                json!({ "x": 0.0, "b": null, "a": "x", "n": 0 }),
                json!({ "a": "x", "x": -0.0 }),
                json!({ "a": "x", "x": 0 }),
            ],
        ),
        (
            "search",
            vec![
                json!({ "query": "x" }),
                json!({ "limit": 10, "query": "x" }),
                json!({ "query": "x", "limit": 10, "order": null, "filters": {}, "ratio": 0 }),
                json!({ "query": "x", "nobody": ["knows", "this"] }),
            ],
        ),
        (
            "search",
            vec![
                json!({ "query": "x", "filters": { "a": { "x": 1, "y": 2 }, "b": {} } }),
                serde_json::from_str(r#"{"filters":{"b":{},"a":{"y":2,"x":1}},"query":"x"}"#).unwrap(),
            ],
        ),
        ("dynamic", vec![json!({ "value": { "a": 1, "b": [2] } }), json!({ "value": { "b": [2], "a": 1 } })]),
        ("keyed", vec![json!({ "id": "x", "hint": "a" }), json!({ "id": "x", "hint": "b" })]),
        ("skipping", vec![json!({ "id": "x", "hint": "a" }), json!({ "hint": "b", "id": "x" })]),
        ("loose", vec![json!({ "query": "x" }), json!({ "query": "x", "limit": 3 })]),
    ] {
        let runs = runs(name, variants).await;
        assert!(runs.iter().all(|run| run == "1"), "{name}: {runs:?}");
    }
}

#[tokio::test]
async fn p01_arguments_that_differ_never_share_a_result() {
    let exact = 1_i64 << 53;
    for (name, variants) in [
        ("typed", vec![json!({ "a": "x" }), json!({ "a": "X" }), json!({ "a": "x " }), json!({ "a": "" })]),
        ("typed", vec![json!({ "a": "x" }), json!({ "a": "x", "b": "" }), json!({ "a": "", "b": "x" })]),
        (
            "typed",
            [exact - 1, exact, exact + 1, exact + 2, i64::MAX, i64::MIN, -1]
                .map(|n| json!({ "a": "x", "n": n }))
                .into(),
        ),
        (
            "typed",
            [0.1, 0.1 + f64::EPSILON, f64::MIN_POSITIVE, f64::MAX, -0.1]
                .map(|x| json!({ "a": "x", "x": x }))
                .into(),
        ),
        // Composed and decomposed, as they came.
        ("typed", vec![json!({ "a": "\u{e9}" }), json!({ "a": "e\u{301}" }), json!({ "a": "e\0" })]),
        (
            "search",
            vec![
                json!({ "query": "x" }),
                json!({ "query": "x", "limit": 11 }),
                json!({ "query": "x", "order": [] }),
                json!({ "query": "x", "order": ["a", "b"] }),
                json!({ "query": "x", "order": ["b", "a"] }),
                json!({ "query": "x", "order": ["ab"] }),
                json!({ "query": "x", "filters": { "a": {} } }),
                json!({ "query": "x", "filters": { "a": { "b": 1 } } }),
                json!({ "query": "x", "filters": { "a": {}, "b": {} } }),
                json!({ "query": "x", "filters": { "b": { "a": 1 } } }),
            ],
        ),
        (
            "dynamic",
            [
                "null",
                "0",
                "1",
                "1.0",
                "\"1\"",
                "[1]",
                "[[1]]",
                "[]",
                "{}",
                "\"\"",
                "true",
                "false",
                "\"true\"",
                "\"null\"",
                "9007199254740992",
                "9007199254740993",
                "9007199254740992.0",
                "18446744073709551615",
                "{\"1\":1}",
                "{\"a\":null}",
                "{\"a\":{\"b\":1}}",
                "{\"a\":{},\"b\":1}",
                "[{},1]",
                "[null]",
            ]
            .map(|text| json!({ "value": serde_json::from_str::<Value>(text).unwrap() }))
            .into(),
        ),
        ("keyed", vec![json!({ "id": "x", "hint": "y" }), json!({ "id": "y", "hint": "x" })]),
        ("skipping", vec![json!({ "id": "x", "hint": "y" }), json!({ "id": "y", "hint": "x" })]),
        ("loose", vec![json!({ "query": "x" }), json!({ "query": "y" })]),
    ] {
        let bench = Bench::new();
        for arguments in &variants {
            let told = bench.call(name, arguments.clone()).await;
            assert!(told.starts_with("computed: "), "{name} {arguments}: {told}");
        }
        for arguments in &variants {
            let told = bench.call(name, arguments.clone()).await;
            assert!(told.starts_with("memory: "), "{name} {arguments}: {told}");
        }
    }
}

#[tokio::test]
async fn p01_a_number_that_is_none_is_never_kept_and_zeros_are_one() {
    let bench = Bench::new();
    assert_eq!(bench.resource("lab://number/NaN").await, "bypass: number:#1");
    assert_eq!(bench.resource("lab://number/NaN").await, "bypass: number:#2");
    assert_eq!(bench.resource("lab://number/0").await, "computed: number:#3");
    assert_eq!(bench.resource("lab://number/-0.0").await, "memory: number:#3");
    assert_eq!(bench.resource("lab://number/inf").await, "computed: number:#4");
    assert_eq!(bench.resource("lab://number/-inf").await, "computed: number:#5");
}

#[tokio::test]
async fn p01_unknown_arguments_are_refused_before_the_cache_where_parameters_are_named() {
    let bench = Bench::new();
    bench.tool("plain", "a").await;
    let told = bench.call("plain", json!({ "id": "a", "idd": "b" })).await;
    assert!(told.starts_with("bypass: error: ") && told.contains("`idd`") && told.contains("`id`"), "{told}");
    assert_eq!((bench.lab.runs_of("plain"), bench.stats().memory), (1, 0));
}

#[tokio::test]
async fn p01_equal_arguments_of_different_components_are_different_calls() {
    let bench = Bench::new();
    let all = ["tool plain", "tool public", "tool renewed", "prompt plain", "resource lab://plain"];
    for round in ["computed", "memory"] {
        for (what, name) in all.iter().zip(["plain", "public", "renewed", "plain prompt", "plain resource"]) {
            assert_eq!(bench.any(what, "a").await, format!("{round}: {name}:a#1"));
        }
    }
    bench.cache().invalidate_tag("none").await;
    components::plain::invalidate_all(&bench.cache()).await;
    assert_eq!(bench.tool("plain", "a").await, "computed: plain:a#2");
    assert_eq!(bench.prompt("plain", "a").await, "memory: plain prompt:a#1");
    assert_eq!(bench.resource("lab://plain/a").await, "memory: plain resource:a#1");
}

#[tokio::test]
async fn p01_two_servers_in_one_process_share_nothing() {
    let (one, two) = (Bench::new(), Bench::new());
    for bench in [&one, &two] {
        for name in ["plain", "public"] {
            assert_eq!(bench.tool(name, "a").await, format!("computed: {name}:a#1"));
        }
    }
    one.cache().clear().await;
    assert_eq!(one.tool("public", "a").await, "computed: public:a#2");
    assert_eq!(two.tool("public", "a").await, "memory: public:a#1");
    assert_eq!((one.stats().invalidations, two.stats().invalidations), (1, 0));
}

/// A value near the arguments of `search`: often equal, often not by little.
fn near() -> impl Strategy<Value = Value> {
    let text = prop_oneof![Just(""), Just("a"), Just("a;b"), Just("\"a\""), Just("a\":1"), Just("ü")];
    let number = prop_oneof![Just(0_i64), Just(1), Just((1 << 53) - 1), Just(1 << 53), Just((1 << 53) + 1)];
    let ratio = prop_oneof![Just(0.0), Just(-0.0), Just(1.0), Just(1.0 + f64::EPSILON)];
    let inner = prop::collection::btree_map(text.clone(), number.clone(), 0..3);
    let filters = prop::collection::btree_map(text.clone(), inner, 0..3);
    let order = prop::option::of(prop::collection::vec(text.clone(), 0..3));
    let written = prop::array::uniform4(any::<bool>());
    (text, number, ratio, filters, order, written).prop_map(
        |(query, limit, ratio, filters, order, written)| {
            let limit = if limit == 0 { 10 } else { limit };
            let all = json!({ "limit": limit, "ratio": ratio, "filters": filters, "order": order });
            let mut value = json!({ "query": query });
            // What is its default may be left out.
            let defaults = json!({ "limit": 10, "ratio": 0.0, "filters": {}, "order": null });
            for ((key, given), written) in all.as_object().unwrap().iter().zip(written) {
                if written || *given != defaults[key] {
                    value[key] = given.clone();
                }
            }
            value
        },
    )
}

#[test]
fn p01_calls_share_a_result_exactly_if_their_arguments_are_equal() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bench = Bench::new();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) };
    let calls = |values: Vec<Value>| {
        let calls = async {
            bench.cache().clear().await;
            let mut seen: Vec<(Search, String)> = Vec::new();
            for value in values {
                let typed: Search = serde_json::from_value(value.clone()).unwrap();
                let told = bench.call("search", value).await;
                let (way, result) = told.split_once(": ").unwrap();
                match seen.iter().find(|(known, _)| *known == typed) {
                    Some((_, known)) => prop_assert_eq!((way, result), ("memory", &**known)),
                    None => {
                        prop_assert_eq!(way, "computed");
                        seen.push((typed, result.to_owned()));
                    }
                }
            }
            Ok(())
        };
        runtime.block_on(calls)
    };
    let values = prop::collection::vec(near(), 12);
    proptest::test_runner::TestRunner::new(config).run(&values, calls).unwrap();
}

#[test]
fn p01_a_version_of_the_attribute_is_part_of_the_key() {
    let version = |def: &mcp_server::component::Def| def.cache.unwrap().version;
    let (plain, renewed) = (version(components::plain::def()), version(components::renewed::def()));
    assert_eq!((plain, renewed), (1, 2));
    let bench = Bench::new();
    let key = |version| bench.cache().key("tool/plain", version, 7).field("id", "a").finish().unwrap();
    assert_ne!(key(plain), key(renewed));
}
