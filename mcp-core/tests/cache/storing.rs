//! What is kept, and what is not.

use std::time::Duration;

use mcp_core::cache::CacheOutcome::{Bypass, Computed, Memory, Negative};
use mcp_core::cache::Loaded;
use mcp_core::{Failure, ToolError};

use crate::support::*;

#[tokio::test]
async fn p01_a_call_runs_once_within_the_ttl_and_others_run_by_themselves() {
    let bench = Bench::new();
    assert_seen(&bench.call(lookup("a", policy()), good("1")).await, "1", Computed);
    assert_seen(&bench.call(lookup("a", policy()), good("2")).await, "1", Memory);
    assert_seen(&bench.call(lookup("b", policy()), good("3")).await, "3", Computed);
    assert_eq!(bench.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn p04_nothing_but_success_is_kept() {
    let is_error = Ok(Loaded { body: body("isError"), store: false, failed: false, own: false });
    let hidden = || Err(ToolError::from(std::io::Error::other("hidden")).into());
    let bad = [
        is_error,
        failed(),
        hidden(),
        not_found(),
        Err(Failure::Timeout),
        Err(Failure::Cancelled),
        Err(Failure::Busy),
    ];
    for result in bad {
        let bench = Bench::new();
        let served = bench.call(lookup("a", policy()), result).await;
        assert_eq!((served.outcome, served.fresh_for), (Computed, Duration::ZERO));
        assert!(bench.cache.entry(&key("a")).is_none());
        assert_seen(&bench.call(lookup("a", policy()), good("after")).await, "after", Computed);
    }
    let bench = Bench::new();
    let panicked = bench.call_with(lookup("a", policy()), || async { panic!("on purpose") }).await;
    assert_seen(&panicked, "Panic", Computed);
    let mut slow = lookup("a", policy());
    slow.timeout = Some(SECOND);
    let timed_out = bench.call_with(slow, std::future::pending).await;
    assert_seen(&timed_out, "Timeout", Computed);
    assert_seen(&bench.call(lookup("a", policy()), good("after")).await, "after", Computed);
}

#[tokio::test]
async fn p05_a_not_found_is_kept_only_where_declared_and_only_for_its_own_ttl() {
    let bench = Bench::new();
    let declared = policy().negative_ms(30_000).stale_ms(60_000).stale_if_error_ms(200_000);
    assert_seen(&bench.call(lookup("a", declared), not_found()).await, "error: no such thing", Computed);
    bench.clock.advance(29 * SECOND);
    let served = bench.call(lookup("a", declared), good("now")).await;
    assert_seen(&served, "error: no such thing", Negative);
    assert_eq!(served.fresh_for, SECOND);
    bench.clock.advance(SECOND);
    assert_seen(&bench.call(lookup("a", declared), good("now")).await, "now", Computed);
    // Other errors of the same component are not kept.
    assert_seen(&bench.call(lookup("b", declared), failed()).await, "error: out of order", Computed);
    assert_seen(&bench.call(lookup("b", declared), good("now")).await, "now", Computed);
    // An invalidation ends it as it ends everything.
    assert_seen(&bench.call(lookup("c", declared), not_found()).await, "error: no such thing", Computed);
    bench.cache.invalidate_tag("name:c").await;
    assert_seen(&bench.call(lookup("c", declared), good("now")).await, "now", Computed);
}

#[tokio::test]
async fn p06_what_is_too_large_is_served_and_not_kept_and_removes_what_was_there() {
    let bench = Bench::with(|options| options.memory_bytes = 80_000);
    let small = policy().max_bytes(1_000);
    bench.cache.prime(&lookup("a", small), body("old"));
    bench.clock.advance(100 * SECOND);
    let large = "x".repeat(1_001);
    let served = bench.call(lookup("a", small), good(&large)).await;
    assert_seen(&served, &large, Computed);
    assert_eq!(served.fresh_for, Duration::ZERO);
    assert!(bench.cache.entry(&key("a")).is_none());
    // An eighth of the level, whatever the component allows.
    let eighth = "x".repeat(10_000);
    bench.cache.prime(&lookup("b", policy()), body("old"));
    bench.cache.prime(&lookup("b", policy()), body(&eighth));
    assert!(bench.cache.entry(&key("b")).is_none());
    assert_eq!(bench.cache.stats().too_large, 2);
    for number in 0..100 {
        bench.cache.prime(&lookup(&number.to_string(), policy()), body("x".repeat(9_000)));
        let stats = bench.cache.stats();
        assert!(stats.bytes <= stats.capacity);
    }
}

#[tokio::test]
async fn no_ttl_or_no_cache_means_that_the_function_runs_and_nothing_is_kept() {
    for (bench, policy) in [
        (Bench::new(), policy().ttl_ms(0)),
        (Bench::with(|options| options.enabled = false), policy()),
        (Bench::with(|options| options.default_ttl = Duration::ZERO), mcp_core::policy::CachePolicy::new()),
    ] {
        bench.cache.prime(&lookup("a", policy), body("primed"));
        for text in ["1", "2"] {
            let served = bench.call(lookup("a", policy), good(text)).await;
            assert_seen(&served, text, Bypass);
            assert_eq!(served.fresh_for, Duration::ZERO);
        }
        assert_eq!(bench.cache.stats().entries, 0);
    }
}

#[tokio::test]
async fn what_is_primed_is_served_and_no_older_run_replaces_it() {
    let bench = Bench::new();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let other = bench.clone();
    let run = tokio::spawn(async move {
        let function = || async {
            gone.await.unwrap();
            good("older")
        };
        other.call_with(lookup("a", policy()), function).await
    });
    settle().await;
    bench.cache.prime(&lookup("a", policy()), body("primed"));
    go.send(()).unwrap();
    assert_seen(&run.await.unwrap(), "older", Computed);
    assert_seen(&bench.call(lookup("a", policy()), good("x")).await, "primed", Memory);
    assert_eq!(bench.cache.stats().outdated, 1);
}

#[tokio::test]
async fn p45_outcomes_add_up_to_the_calls_and_runs_to_the_functions() {
    let bench = Bench::with(|options| options.max_flights = 3);
    let kinds = [
        policy().stale_ms(50_000).stale_if_error_ms(300_000),
        policy().negative_ms(20_000),
        policy().ttl_ms(0),
        policy().refresh_ahead(mcp_core::policy::RefreshAhead::Auto),
    ];
    let mut random = 1_u64;
    let mut draw = move |bound: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % bound
    };
    let mut calls = Vec::new();
    for number in 0..3_000 {
        let kind = draw(4) as usize;
        let lookup = lookup(&format!("{kind}:{}", draw(3)), kinds[kind]);
        let result = match draw(6) {
            0 => failed(),
            1 => not_found(),
            2 => Ok(Loaded { body: body("unkept"), store: false, failed: false, own: false }),
            _ => good(number),
        };
        let other = bench.clone();
        let naps = draw(4);
        calls.push(tokio::spawn(async move {
            let function = move || async move {
                for _ in 0..naps {
                    tokio::task::yield_now().await;
                }
                result
            };
            other.call_with(lookup, function).await
        }));
        match draw(10) {
            0 => bench.clock.advance(draw(40) as u32 * SECOND),
            1 => bench.cache.invalidate_tag(&format!("name:{kind}:{}", draw(3))).await,
            2..5 => settle().await,
            _ => {}
        }
    }
    for call in calls {
        _ = call.await.unwrap();
    }
    bench.cache.idle().await;
    let stats = bench.cache.stats();
    let outcomes = [stats.memory, stats.coalesced, stats.computed, stats.stale, stats.negative, stats.bypass];
    assert!(outcomes.iter().all(|&count| count > 0), "{stats:?}");
    assert_eq!(outcomes.iter().sum::<u64>() + stats.shared + stats.database, 3_000);
    assert!(stats.computed + stats.bypass + stats.refreshes <= bench.runs());
    assert_eq!(stats.flights, 0);
}
