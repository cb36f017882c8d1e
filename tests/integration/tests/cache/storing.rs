//! What is kept and what is not.

use harness::{LEGACY, MODERN, Wire};
use mcp_server::prelude::*;
use mcp_server::serde_json::{Value, json};

use super::components::{confirm, confirm_prompt, confirm_resource, plain, public};
use super::lab::{Bench, Does, SECOND};

#[tokio::test]
async fn p04_nothing_but_success_is_kept() {
    for (does, expected) in [
        (Does::Fail, "computed: error: out of order"),
        (Does::NotFound, "computed: error: no such thing"),
        (Does::Invalid, "computed: error: no such wish"),
        (Does::Hide, "computed: error: internal error"),
        (Does::IsError, "computed: error: plain:a#1"),
        (Does::Panic, "computed: error: internal error"),
    ] {
        let bench = Bench::new();
        bench.lab.set("plain:a", does.clone());
        let told = bench.tool("plain", "a").await;
        assert!(told.starts_with(expected), "{told}");
        assert_eq!((bench.stats().stored, bench.stats().entries), (0, 0), "{expected}");
        bench.lab.set("plain:a", Does::Count);
        assert_eq!(bench.tool("plain", "a").await, "computed: plain:a#2", "{expected}");
        assert_eq!(bench.tool("plain", "a").await, "memory: plain:a#2", "{expected}");
    }
}

#[tokio::test]
async fn p04_nor_of_a_resource_or_a_prompt() {
    for (what, name) in [("resource lab://plain", "plain resource:a"), ("prompt plain", "plain prompt:a")] {
        for does in [Does::Fail, Does::Hide, Does::Panic] {
            let bench = Bench::new();
            bench.lab.set(name, does);
            assert!(bench.any(what, "a").await.starts_with("computed: error: "));
            bench.lab.set(name, Does::Count);
            assert_eq!(bench.any(what, "a").await, format!("computed: {name}#2"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn p04_a_run_that_is_ended_by_its_timeout_is_not_kept() {
    let bench = Bench::new();
    bench.lab.set("timed:a", Does::Hang);
    let told = bench.tool("timed", "a").await;
    assert_eq!(told, "computed: error: `timed` took longer than 50ms and was ended");
    assert_eq!((bench.stats().stored, bench.stats().flights), (0, 0));
    bench.lab.set("timed:a", Does::Count);
    assert_eq!(bench.tool("timed", "a").await, "computed: timed:a#2");
    assert_eq!(bench.tool("timed", "a").await, "memory: timed:a#2");
}

#[tokio::test]
async fn p04_a_success_after_an_error_replaces_nothing_and_an_error_after_a_success_removes_it_at_its_end() {
    let bench = Bench::new();
    bench.tool("plain", "a").await;
    bench.lab.set("plain:a", Does::Fail);
    assert_eq!(bench.tool("plain", "a").await, "memory: plain:a#1");
    bench.clock.advance(100 * SECOND);
    assert_eq!(bench.tool("plain", "a").await, "computed: error: out of order");
    bench.lab.set("plain:a", Does::Count);
    assert_eq!(bench.tool("plain", "a").await, "computed: plain:a#3");
}

#[tokio::test]
async fn p05_a_not_found_is_kept_where_declared_and_for_its_own_time() {
    for (what, name) in [("tool negative", "negative:a"), ("resource lab://plain", "plain resource:a")] {
        let bench = Bench::new();
        bench.lab.set(name, Does::NotFound);
        assert_eq!(bench.any(what, "a").await, "computed: error: no such thing");
        bench.lab.set(name, Does::Count);
        bench.clock.advance(10 * SECOND - SECOND / 1000);
        assert_eq!(bench.any(what, "a").await, "negative: error: no such thing");
        assert_eq!(bench.any(what, "b").await, format!("computed: {}b#1", name.trim_end_matches('a')));
        bench.clock.advance(SECOND / 1000);
        assert_eq!(bench.any(what, "a").await, format!("computed: {name}#2"));
    }
    // Other errors are no answer, also where that is declared.
    let bench = Bench::new();
    for does in [Does::Fail, Does::Invalid, Does::Hide, Does::IsError, Does::Panic] {
        bench.lab.set("negative:a", does);
        assert!(bench.tool("negative", "a").await.starts_with("computed: error: "));
    }
    assert_eq!((bench.lab.runs("negative:a"), bench.stats().stored), (5, 0));
}

#[tokio::test]
async fn p06_what_is_too_large_is_answered_and_not_kept() {
    let bench = Bench::new();
    bench.lab.set("small:a", Does::Say("short".into()));
    assert_eq!(bench.tool("small", "a").await, "computed: short");
    assert_eq!(bench.tool("small", "a").await, "memory: short");
    let long = "x".repeat(1100);
    bench.lab.set("small:a", Does::Say(long.clone()));
    bench.clock.advance(100 * SECOND);
    for run in 2..5 {
        assert_eq!(bench.tool("small", "a").await, format!("computed: {long}"));
        assert_eq!((bench.lab.runs("small:a"), bench.stats().too_large), (run, run - 1));
    }
    // Where nothing is declared, a mebibyte is.
    let bench = Bench::new();
    for (size, way) in [((1 << 20) + 1, "computed: "), ((1 << 20) - 1000, "memory: ")] {
        bench.lab.set("plain:a", Does::Say("x".repeat(size)));
        bench.tool("plain", "a").await;
        assert!(bench.tool("plain", "a").await.starts_with(way), "{size}");
    }
}

#[tokio::test]
async fn p06_memory_stays_within_its_bound_whatever_comes() {
    let bench = Bench::with(|config| config.cache_memory_bytes = 256 << 10);
    for number in 0..600_u64 {
        let id = (number % 250).to_string();
        bench.lab.set(&format!("public:{id}"), Does::Say("x".repeat(2000)));
        bench.tool("public", &id).await;
        if number % 50 == 0 {
            let stats = bench.stats();
            assert!(stats.bytes <= stats.capacity, "{stats:?}");
        }
    }
    let stats = bench.stats();
    assert_eq!(stats.capacity, 256 << 10);
    assert!(stats.bytes <= stats.capacity && stats.evicted > 0 && stats.entries > 20, "{stats:?}");
}

#[tokio::test]
async fn p06_nothing_is_kept_where_caching_is_off() {
    let bench = Bench::with(|config| config.cache_enabled = false);
    for name in ["plain", "lasting", "negative"] {
        assert_eq!(bench.tool(name, "a").await, format!("bypass: {name}:a#1"));
        assert_eq!(bench.tool(name, "a").await, format!("bypass: {name}:a#2"));
    }
    public::prime(&bench.cache(), "a".into(), Ok(ToolOutput::new(["primed"]))).await.unwrap();
    assert_eq!(bench.tool("public", "a").await, "bypass: public:a#1");
    assert_eq!(bench.stats().entries, 0);
}

/// Puts the answer to the one question of a round into a call.
fn answered(params: &Value, asked: &Value) -> Value {
    let mut params = params.clone();
    let key = asked["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    params["requestState"] = asked["requestState"].clone();
    params["inputResponses"] = json!({ key: { "action": "accept", "content": { "sure": true } } });
    params
}

fn all_that_ask(id: &str) -> [(&'static str, Value, &'static str); 3] {
    [
        ("tools/call", json!({ "name": "confirm", "arguments": { "id": id } }), "/content/0/text"),
        ("prompts/get", json!({ "name": "confirm", "arguments": { "id": id } }), "/messages/0/content/text"),
        ("resources/read", json!({ "uri": format!("lab://confirm/{id}") }), "/contents/0/text"),
    ]
}

#[tokio::test]
async fn p07_a_question_is_never_kept_and_its_answer_neither_reads_nor_writes() {
    for (method, params, text) in all_that_ask("a") {
        let bench = Bench::new();
        let mut wire = Wire::connect_with(&bench.server, MODERN, json!({ "elicitation": {} })).await;
        for run in 1..4 {
            let asked = wire.result(method, params.clone()).await;
            assert_eq!(asked["resultType"], "input_required", "{method}");
            let done = wire.result(method, answered(&params, &asked)).await;
            assert_eq!(done.pointer(text).unwrap(), &json!(format!("confirm:a#{run}")), "{method}");
        }
        let stats = bench.stats();
        assert_eq!((stats.stored, stats.entries), (0, 0), "{method}");
        assert_eq!((stats.computed, stats.bypass), (3, 3), "questions computed, answers around the cache");
    }
}

#[tokio::test]
async fn p07_a_call_with_answers_does_not_get_what_is_kept() {
    for (method, params, text) in all_that_ask("a") {
        let bench = Bench::new();
        let mut wire = Wire::connect_with(&bench.server, MODERN, json!({ "elicitation": {} })).await;
        let asked = wire.result(method, params.clone()).await;
        let cache = bench.cache();
        confirm::prime(&cache, "a".into(), Ok("kept".into())).await.unwrap();
        confirm_prompt::prime(&cache, "a".into(), Ok("kept".into())).await.unwrap();
        confirm_resource::prime(&cache, "a".into(), Ok("kept".into())).await.unwrap();

        let kept = wire.result(method, params.clone()).await;
        assert_eq!(kept.pointer(text).unwrap(), "kept", "{method}");
        let with_answers = answered(&params, &asked);
        let mut responses_alone = with_answers.clone();
        responses_alone.as_object_mut().unwrap().remove("requestState");
        let mut state_alone = with_answers.clone();
        state_alone.as_object_mut().unwrap().remove("inputResponses");
        for (call, expected) in [(with_answers, "confirm:a#1"), (responses_alone, "confirm:a#2")] {
            let done = wire.result(method, call).await;
            assert_eq!(done.pointer(text).unwrap(), expected, "{method}");
        }
        let again = wire.result(method, state_alone).await;
        assert_eq!(again["resultType"], "input_required", "{method}");
        assert_eq!(wire.result(method, params).await.pointer(text).unwrap(), "kept", "{method}");
        assert_eq!(bench.stats().bypass, 3, "{method}");
    }
}

#[tokio::test]
async fn p07_what_was_made_of_an_answer_within_a_session_is_for_its_caller_alone() {
    let bench = Bench::new();
    let gate = bench.lab.close("confirm:a");
    let mut wires = Vec::new();
    for _ in 0..2 {
        let wire = Wire::connect_with(&bench.server, LEGACY, json!({ "elicitation": {} })).await;
        wires.push(wire.answering(|_, _| json!({ "action": "accept", "content": { "sure": true } })));
    }
    let call = json!({ "name": "confirm", "arguments": { "id": "a" } });
    let first = wires[0].send("tools/call", call.clone()).await;
    wires[0].receive().await;
    gate.entered().await;
    let second = wires[1].send("tools/call", call.clone()).await;
    bench.until(|stats| stats.joined == 1).await;
    gate.open();
    for (wire, id) in wires.iter_mut().zip([first, second]) {
        wire.answer_to(&id).await;
        assert_eq!(wire.asked.len(), 1, "each is asked");
        wire.result("tools/call", call.clone()).await;
        assert_eq!(wire.asked.len(), 2, "and asked again");
    }
    assert_eq!((bench.lab.runs("confirm:a"), bench.stats().stored), (4, 0));
}

#[tokio::test]
async fn when_and_unless_decide_by_the_arguments_and_by_the_result() {
    let bench = Bench::new();
    assert_eq!(bench.tool("choosy", "ab").await, "computed: choosy:ab#1");
    assert_eq!(bench.tool("choosy", "ab").await, "memory: choosy:ab#1");
    for run in 1..3 {
        assert_eq!(bench.tool("choosy", "abc").await, format!("bypass: choosy:abc#{run}"));
    }
    bench.lab.set("patient:a", Does::Say("later".into()));
    for _ in 0..2 {
        assert_eq!(bench.tool("patient", "a").await, "computed: later");
    }
    bench.lab.set("patient:a", Does::Say("done".into()));
    assert_eq!(bench.tool("patient", "a").await, "computed: done");
    assert_eq!(bench.tool("patient", "a").await, "memory: done");
}

#[tokio::test]
async fn what_is_not_declared_to_be_kept_runs_each_time() {
    let bench = Bench::new();
    for run in 1..4 {
        assert_eq!(bench.tool("uncached", "a").await, format!("bypass: uncached:a#{run}"));
    }
    assert_eq!(bench.stats().entries, 0);
    assert_eq!(bench.tool("local", "a").await, "computed: local:a#1");
    assert_eq!(bench.tool("local", "a").await, "memory: local:a#1");
}

#[tokio::test]
async fn a_result_is_primed_for_all_where_it_is_public() {
    let bench = Bench::new();
    let cache = bench.cache();
    let primed = || Ok(ToolOutput::new(["primed"]));
    public::prime(&cache, "a".into(), primed()).await.unwrap();
    assert_eq!(bench.tool("public", "a").await, "memory: primed");
    let alice = Identity::new("i", "alice");
    assert_eq!(bench.tool_as(&alice, "public", "a").await, "memory: primed");
    assert_eq!(bench.tool("public", "b").await, "computed: public:b#1");
    bench.clock.advance(100 * SECOND);
    assert_eq!(bench.tool("public", "a").await, "computed: public:a#1");

    // Elsewhere it belongs to whom nobody vouches for, and to nobody else.
    plain::prime(&cache, "a".into(), primed()).await.unwrap();
    assert_eq!(bench.tool("plain", "a").await, "memory: primed");
    assert_eq!(bench.tool_as(&alice, "plain", "a").await, "computed: plain:a#1");
    // An error is none to be kept.
    public::prime(&cache, "c".into(), Err(ToolError::new("no"))).await.unwrap_err();
    public::prime(&cache, "c".into(), Ok(ToolOutput::new(["no"]).error())).await.unwrap();
    assert_eq!(bench.tool("public", "c").await, "computed: public:c#1");
}

#[tokio::test]
async fn what_is_primed_is_made_invalid_as_what_was_computed() {
    let bench = Bench::new();
    let cache = bench.cache();
    for how in ["tag", "resource", "arguments", "component", "clear"] {
        super::components::read::prime(&cache, "a".into(), "primed".into()).await.unwrap();
        assert_eq!(bench.resource("lab://read/a").await, "memory: primed", "{how}");
        bench.call("change_by_hand", json!({ "how": how, "id": "a" })).await;
        let told = bench.resource("lab://read/a").await;
        assert!(told.starts_with("computed: v"), "{how}: {told}");
    }
}
