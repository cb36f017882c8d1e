//! How long a result is fresh, and what an old one is good for.

use std::time::Duration;

use mcp_server::serde_json::json;

use super::lab::{Bench, Does, SECOND};

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test]
async fn p03_a_result_is_fresh_until_its_deadline_and_not_at_it() {
    for (name, ttl) in [("plain", 100 * SECOND), ("brief", SECOND * 3 / 2), ("bare", 300 * SECOND)] {
        let bench = Bench::new();
        assert_eq!(bench.tool(name, "a").await, format!("computed: {name}:a#1"));
        bench.clock.advance(ttl - MOMENT);
        let called = bench.server.call_tool(name, json!({ "id": "a" })).await.unwrap();
        assert_eq!((called.cache.word(), called.fresh_for), ("memory", MOMENT), "{name}");
        bench.clock.advance(MOMENT);
        assert_eq!(bench.tool(name, "a").await, format!("computed: {name}:a#2"));
    }
}

#[tokio::test]
async fn p03_the_ttl_of_the_configuration_counts_where_none_is_declared() {
    let bench = Bench::with(|config| config.cache_duration = Duration::from_millis(70));
    for name in ["bare", "plain"] {
        bench.tool(name, "a").await;
    }
    bench.clock.advance(Duration::from_millis(69));
    assert_eq!(bench.tool("bare", "a").await, "memory: bare:a#1");
    bench.clock.advance(MOMENT);
    assert_eq!(bench.tool("bare", "a").await, "computed: bare:a#2");
    assert_eq!(bench.tool("plain", "a").await, "memory: plain:a#1");
    // None at all: nothing is kept.
    let bench = Bench::with(|config| config.cache_duration = Duration::ZERO);
    for run in 1..3 {
        assert_eq!(bench.tool("bare", "a").await, format!("bypass: bare:a#{run}"));
    }
}

#[tokio::test]
async fn p03_jitter_only_shortens_and_by_no_more_than_its_share() {
    let bench = Bench::built(|_| {}, |server| server.jitter(0.1));
    for id in 0..50 {
        let call = || bench.server.call_tool("plain", json!({ "id": id.to_string() }));
        let (miss, hit) = (call().await.unwrap(), call().await.unwrap());
        assert!(miss.fresh_for >= 90 * SECOND && miss.fresh_for <= 100 * SECOND, "{:?}", miss.fresh_for);
        assert_eq!(miss.fresh_for, hit.fresh_for);
    }
}

#[tokio::test]
async fn p17_past_the_ttl_the_old_result_comes_at_once_and_one_refresh_runs_behind_it() {
    let bench = Bench::new();
    bench.tool("stale", "a").await;
    bench.clock.advance(10 * SECOND);
    let gate = bench.lab.close("stale:a");
    for _ in 0..5 {
        assert_eq!(bench.tool("stale", "a").await, "stale: stale:a#1");
    }
    gate.entered().await;
    assert_eq!((bench.lab.runs("stale:a"), bench.stats().refreshes), (2, 1));
    gate.open();
    bench.idle().await;
    assert_eq!(bench.tool("stale", "a").await, "memory: stale:a#2");

    // At the end of that time it is not served any more.
    bench.clock.advance(15 * SECOND - MOMENT);
    assert_eq!(bench.tool("stale", "a").await, "stale: stale:a#2");
    bench.idle().await;
    bench.clock.advance(15 * SECOND);
    assert_eq!(bench.tool("stale", "a").await, "computed: stale:a#4");
}

#[tokio::test]
async fn p17_a_refresh_that_fails_leaves_the_old_result_until_its_end() {
    for does in [Does::Fail, Does::Hide, Does::Panic, Does::IsError] {
        let bench = Bench::new();
        bench.tool("stale", "a").await;
        bench.lab.set("stale:a", does);
        bench.clock.advance(10 * SECOND);
        for _ in 0..3 {
            assert_eq!(bench.tool("stale", "a").await, "stale: stale:a#1");
            bench.idle().await;
            bench.clock.advance(SECOND);
        }
        bench.clock.advance(2 * SECOND);
        assert!(bench.tool("stale", "a").await.starts_with("computed: error: "));
    }
}

#[tokio::test]
async fn p18_an_old_result_replaces_failures_up_to_a_horizon_that_they_never_move() {
    for does in [Does::Fail, Does::Hide, Does::Panic] {
        let bench = Bench::new();
        bench.tool("resilient", "a").await;
        bench.lab.set("resilient:a", does);
        // At most once in ten seconds is a function that fails asked again.
        for (seconds, runs) in [(10, 2), (9, 2), (1, 3), (20, 4), (19, 5)] {
            bench.clock.advance(seconds * SECOND);
            assert_eq!(bench.tool("resilient", "a").await, "stale: resilient:a#1");
            assert_eq!(bench.lab.runs("resilient:a"), runs);
        }
        bench.clock.advance(SECOND);
        let told = bench.tool("resilient", "a").await;
        assert!(told.starts_with("computed: error: "), "{told}");
        bench.lab.set("resilient:a", Does::Count);
        assert!(bench.tool("resilient", "a").await.starts_with("computed: resilient:a#"));
    }
}

#[tokio::test]
async fn p18_an_answer_is_no_failure_and_is_not_replaced() {
    for (does, expected) in [
        (Does::NotFound, "computed: error: no such thing"),
        (Does::Invalid, "computed: error: "),
        (Does::IsError, "computed: error: resilient:a#2"),
    ] {
        let bench = Bench::new();
        bench.tool("resilient", "a").await;
        bench.lab.set("resilient:a", does);
        bench.clock.advance(10 * SECOND);
        let told = bench.tool("resilient", "a").await;
        assert!(told.starts_with(expected), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn p18_a_function_that_takes_too_long_has_failed() {
    let bench = Bench::new();
    bench.tool("resilient_timed", "a").await;
    bench.lab.set("resilient_timed:a", Does::Hang);
    bench.clock.advance(10 * SECOND);
    assert_eq!(bench.tool("resilient_timed", "a").await, "stale: resilient_timed:a#1");
    bench.clock.advance(50 * SECOND);
    let told = bench.tool("resilient_timed", "a").await;
    assert_eq!(told, "computed: error: `resilient_timed` took longer than 50ms and was ended");
}

#[tokio::test]
async fn p19_after_an_invalidation_nothing_old_is_served_even_for_a_failure() {
    for name in ["stale", "resilient", "lasting"] {
        for advance in [0, 10, 14] {
            let bench = Bench::new();
            bench.tool(name, "a").await;
            bench.clock.advance(advance * SECOND);
            bench.lab.set(&format!("{name}:a"), Does::Fail);
            bench.cache().clear().await;
            let told = bench.tool(name, "a").await;
            assert_eq!(told, "computed: error: out of order", "{name} after {advance} s");
        }
    }
    // By a tag that the attribute declares; another's result stays.
    let bench = Bench::new();
    for id in ["a", "b"] {
        bench.tool("lasting", id).await;
        bench.lab.set(&format!("lasting:{id}"), Does::Fail);
    }
    bench.clock.advance(10 * SECOND);
    bench.cache().invalidate_tag("lasting:a").await;
    assert_eq!(bench.tool("lasting", "a").await, "computed: error: out of order");
    assert_eq!(bench.tool("lasting", "b").await, "stale: lasting:b#1");
}

#[tokio::test]
async fn p20_a_hit_late_in_its_life_starts_one_refresh() {
    let bench = Bench::new();
    bench.tool("ahead", "a").await;
    bench.clock.advance(80 * SECOND - MOMENT);
    assert_eq!(bench.tool("ahead", "a").await, "memory: ahead:a#1");
    assert_eq!(bench.lab.runs("ahead:a"), 1);
    bench.clock.advance(MOMENT);
    let gate = bench.lab.close("ahead:a");
    for _ in 0..5 {
        assert_eq!(bench.tool("ahead", "a").await, "memory: ahead:a#1");
    }
    gate.entered().await;
    gate.open();
    bench.idle().await;
    assert_eq!((bench.lab.runs("ahead:a"), bench.stats().refreshes), (2, 1));
    let called = bench.server.call_tool("ahead", json!({ "id": "a" })).await.unwrap();
    assert_eq!((called.text().as_str(), called.fresh_for), ("ahead:a#2", 100 * SECOND));
}
