//! `ttlMs` and `cacheScope`: what a client is told of the life of a result.

use std::time::Duration;

use harness::{LEGACY, MODERN, REVISIONS, Wire};
use mcp_server::serde_json::{Value, json};

use super::lab::{Bench, SECOND};

fn hints(result: &Value) -> (Option<u64>, Option<&str>) {
    (result.get("ttlMs").and_then(Value::as_u64), result.get("cacheScope").and_then(Value::as_str))
}

#[tokio::test]
async fn p39_a_resource_says_what_is_left_of_its_life_and_who_may_share_it() {
    let bench = Bench::new();
    let mut wire = Wire::connect(&bench.server, MODERN).await;
    for (uri, scope) in [
        ("lab://kind/text", "private"),
        ("lab://kind/blob", "public"),
        ("lab://kind/json", "private"),
        ("lab://kind/parts/a", "private"),
        ("lab://read/a", "public"),
    ] {
        let mut left = 100_000;
        for passed in [0, 0, 1, 998, 99_000] {
            bench.clock.advance(Duration::from_millis(passed));
            left -= passed;
            let read = wire.result("resources/read", json!({ "uri": uri })).await;
            assert_eq!(hints(&read), (Some(left), Some(scope)), "{uri}");
        }
        bench.clock.advance(Duration::from_millis(1));
        let read = wire.result("resources/read", json!({ "uri": uri })).await;
        assert_eq!(hints(&read), (Some(100_000), Some(scope)), "{uri}, read again");
    }
}

#[tokio::test]
async fn p39_nothing_is_left_of_what_is_stale_or_was_not_kept() {
    let bench = Bench::new();
    let mut wire = Wire::connect(&bench.server, MODERN).await;
    let read = json!({ "uri": "lab://aging/a" });
    assert_eq!(hints(&wire.result("resources/read", read.clone()).await), (Some(10_000), Some("public")));
    bench.clock.advance(10 * SECOND);
    assert_eq!(hints(&wire.result("resources/read", read.clone()).await), (Some(0), Some("public")));
    bench.idle().await;
    assert_eq!(hints(&wire.result("resources/read", read).await), (Some(10_000), Some("public")));

    for uri in ["lab://number/NaN", "lab://fixed"] {
        let read = wire.result("resources/read", json!({ "uri": uri })).await;
        assert_eq!(hints(&read), (Some(0), Some("private")), "{uri}");
    }
    // Made invalid while it was read: the client must not keep it either.
    let gate = bench.lab.close("read:a");
    let id = wire.send("resources/read", json!({ "uri": "lab://read/a" })).await;
    gate.entered().await;
    bench.cache().invalidate_resource("lab://read/a").await;
    gate.open();
    let answer = wire.answer_to(&id).await;
    assert_eq!(hints(&answer["result"]), (Some(0), Some("public")), "{answer}");
}

#[tokio::test]
async fn p39_a_not_found_and_a_question_have_no_life() {
    let bench = Bench::new();
    bench.lab.set("plain resource:a", super::lab::Does::NotFound);
    let mut wire = Wire::connect_with(&bench.server, MODERN, json!({ "elicitation": {} })).await;
    for _ in 0..2 {
        let answer = wire.request("resources/read", json!({ "uri": "lab://plain/a" })).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        assert!(!answer.to_string().contains("ttlMs"), "{answer}");
    }
    assert_eq!(bench.stats().negative, 1);
    for (method, params) in [
        ("resources/read", json!({ "uri": "lab://confirm/a" })),
        ("tools/call", json!({ "name": "confirm", "arguments": { "id": "a" } })),
        ("prompts/get", json!({ "name": "confirm", "arguments": { "id": "a" } })),
    ] {
        let asked = wire.result(method, params).await;
        assert_eq!((&asked["resultType"], hints(&asked)), (&json!("input_required"), (None, None)));
    }
}

#[tokio::test]
async fn p39_hints_are_on_exactly_the_results_that_have_them() {
    let all = [
        ("tools/list", json!({}), true),
        ("prompts/list", json!({}), true),
        ("resources/list", json!({}), true),
        ("resources/templates/list", json!({}), true),
        ("resources/read", json!({ "uri": "lab://read/a" }), true),
        ("tools/call", json!({ "name": "public", "arguments": { "id": "a" } }), false),
        ("prompts/get", json!({ "name": "told", "arguments": { "id": "a" } }), false),
    ];
    for revision in REVISIONS {
        let bench = Bench::new();
        let mut wire = Wire::connect(&bench.server, revision).await;
        for (method, params, has) in &all {
            for _ in 0..2 {
                let result = wire.result(method, params.clone()).await;
                let (ttl, scope) = hints(&result);
                let expected = *has && revision == MODERN;
                assert_eq!((ttl.is_some(), scope.is_some()), (expected, expected), "{revision} {method}");
            }
        }
        if revision == MODERN {
            let discovered = wire.result("server/discover", json!({})).await;
            assert!(matches!(hints(&discovered), (Some(_), Some(_))), "{discovered}");
        }
    }
}

#[tokio::test]
async fn p39_the_pages_of_a_list_say_the_same() {
    let bench = Bench::built(|_| {}, |server| server.page_size(7));
    for (revision, expected) in [(MODERN, (Some(0), Some("private"))), (LEGACY, (None, None))] {
        let mut wire = Wire::connect(&bench.server, revision).await;
        let (mut cursor, mut pages) = (Value::Null, 0);
        loop {
            let params = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
            let mut page = wire.result("tools/list", params).await;
            assert_eq!(hints(&page), expected);
            pages += 1;
            cursor = page["nextCursor"].take();
            if cursor.is_null() {
                break;
            }
        }
        assert!(pages > 3, "{pages}");
    }
}
