//! How long a result is served, and what is done about its end.

use std::time::Duration;

use mcp_core::cache::CacheOutcome::{Computed, Memory, Stale};
use mcp_core::policy::RefreshAhead;
use mcp_core::{Failure, ToolError};

use crate::support::*;

#[tokio::test]
async fn p03_an_entry_is_fresh_until_its_deadline_and_not_at_it() {
    let bench = Bench::new();
    let served = bench.call(lookup("a", policy()), good("1")).await;
    assert_eq!(served.fresh_for, 100 * SECOND);
    bench.clock.advance(100 * SECOND - Duration::from_nanos(1));
    let served = bench.call(lookup("a", policy()), good("2")).await;
    assert_seen(&served, "1", Memory);
    assert_eq!(served.fresh_for, Duration::from_nanos(1));
    bench.clock.advance(Duration::from_nanos(1));
    assert_seen(&bench.call(lookup("a", policy()), good("2")).await, "2", Computed);
}

#[tokio::test]
async fn p03_jitter_only_ever_shortens_and_by_a_tenth_at_most() {
    let bench = Bench::with(|options| options.jitter = 0.1);
    let mut lives = Vec::new();
    for number in 0..1_000 {
        let name = number.to_string();
        bench.cache.prime(&lookup(&name, policy()), body("x"));
        lives.push(bench.cache.entry(&key(&name)).unwrap().fresh_for);
    }
    assert!(lives.iter().all(|life| (90 * SECOND..=100 * SECOND).contains(life)));
    lives.sort_unstable();
    assert!(lives[999] - lives[0] > 8 * SECOND, "spread over the range");
}

#[tokio::test]
async fn huge_lives_end_after_thirty_days() {
    let bench = Bench::new();
    let forever = policy().ttl_ms(u64::MAX).stale_ms(u64::MAX).stale_if_error_ms(u64::MAX);
    let served = bench.call(lookup("a", forever), good("1")).await;
    assert_eq!(served.fresh_for, 30 * 86_400 * SECOND);
}

#[tokio::test]
async fn p17_past_the_ttl_the_old_result_is_served_at_once_while_one_refresh_runs() {
    let bench = Bench::new();
    let policy = policy().stale_ms(50_000);
    bench.cache.prime(&lookup("a", policy), body("old"));
    bench.clock.advance(100 * SECOND);
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let function = || async {
        gone.await.unwrap();
        good("new")
    };
    let served = bench.call_with(lookup("a", policy), function).await;
    assert_seen(&served, "old", Stale);
    assert_eq!(served.fresh_for, Duration::ZERO);
    for _ in 0..10 {
        settle().await;
        assert_seen(&bench.call(lookup("a", policy), good("x")).await, "old", Stale);
    }
    go.send(()).unwrap();
    bench.cache.idle().await;
    let served = bench.call(lookup("a", policy), good("x")).await;
    assert_seen(&served, "new", Memory);
    assert_eq!(served.fresh_for, 100 * SECOND);
    assert_eq!((bench.runs(), bench.cache.stats().refreshes), (1, 1));
    // Past the window the caller waits.
    bench.clock.advance(150 * SECOND);
    assert_seen(&bench.call(lookup("a", policy), good("newer")).await, "newer", Computed);
}

#[tokio::test]
async fn p17_a_refresh_that_fails_keeps_the_old_result_and_moves_no_horizon() {
    let bench = Bench::with(|options| options.error_throttle = 10 * SECOND);
    let policy = policy().stale_ms(50_000);
    bench.cache.prime(&lookup("a", policy), body("old"));
    bench.clock.advance(100 * SECOND);
    for _ in 0..50 {
        assert_seen(&bench.call(lookup("a", policy), failed()).await, "old", Stale);
        settle().await;
        bench.clock.advance(SECOND);
    }
    assert_eq!(bench.runs(), 5, "one every ten seconds");
    assert_seen(&bench.call(lookup("a", policy), failed()).await, "error: out of order", Computed);
}

#[tokio::test]
async fn p17_a_refresh_that_finds_nothing_ends_the_old_result() {
    for negative in [0, 10_000] {
        let bench = Bench::new();
        let policy = policy().stale_ms(50_000).negative_ms(negative);
        bench.cache.prime(&lookup("a", policy), body("old"));
        bench.clock.advance(100 * SECOND);
        assert_seen(&bench.call(lookup("a", policy), not_found()).await, "old", Stale);
        settle().await;
        let served = bench.call(lookup("a", policy), not_found()).await;
        assert_eq!(seen(&served).0, "error: no such thing");
    }
}

#[tokio::test(start_paused = true)]
async fn p18_an_old_result_replaces_failures_up_to_a_horizon_that_they_never_move() {
    let bench = Bench::with(|options| options.error_throttle = 10 * SECOND);
    let policy = policy().stale_if_error_ms(305_000);
    bench.cache.prime(&lookup("a", policy), body("old"));
    bench.clock.advance(100 * SECOND);
    let mut second = 100;
    while second < 305 {
        let served = bench.call(lookup("a", policy), failed()).await;
        assert_seen(&served, "old", Stale);
        assert_eq!(served.fresh_for, Duration::ZERO);
        bench.clock.advance(SECOND);
        second += 1;
    }
    assert_eq!(bench.runs(), 21, "one every ten seconds");
    // The last failure was five seconds ago: being left alone does not move the horizon either.
    assert_seen(&bench.call(lookup("a", policy), failed()).await, "error: out of order", Computed);
}

#[tokio::test(start_paused = true)]
async fn p18_only_failures_are_replaced() {
    let asked = || Err(Failure::InputRequired(Default::default()));
    let refused = || Err(ToolError::invalid("no").into());
    for (result, replaced) in [
        (failed(), true),
        (Err(ToolError::from(std::io::Error::other("hidden")).into()), true),
        (Err(Failure::Panic), true),
        (Err(Failure::Timeout), true),
        (Err(Failure::Busy), true),
        (not_found(), false),
        (refused(), false),
        (asked(), false),
        (Err(Failure::Cancelled), false),
    ] {
        let bench = Bench::new();
        let policy = policy().stale_if_error_ms(300_000);
        bench.cache.prime(&lookup("a", policy), body("old"));
        bench.clock.advance(100 * SECOND);
        let case = format!("{result:?}");
        let served = bench.call(lookup("a", policy), result).await;
        assert_eq!(served.outcome == Stale, replaced, "{case}");
        assert_eq!(served.result.is_ok(), replaced, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn p18_a_function_that_is_too_slow_counts_as_failed() {
    let bench = Bench::new();
    let mut lookup = lookup("a", policy().stale_if_error_ms(300_000));
    lookup.timeout = Some(2 * SECOND);
    bench.cache.prime(&lookup, body("old"));
    bench.clock.advance(100 * SECOND);
    let begun = tokio::time::Instant::now();
    let served = bench.call_with(lookup.clone(), std::future::pending).await;
    assert_seen(&served, "old", Stale);
    assert_eq!(begun.elapsed(), 2 * SECOND);
    bench.cache.idle().await;
    assert_seen(&bench.call(lookup, good("x")).await, "old", Stale);
    assert_eq!(bench.runs(), 1, "throttled");
}

#[tokio::test]
async fn p19_after_an_invalidation_nothing_old_is_served_even_for_a_failure() {
    for mode in 0..3 {
        for fresh in [true, false] {
            let bench = Bench::new();
            let policy = policy().stale_ms(50_000).stale_if_error_ms(300_000);
            bench.cache.prime(&lookup("a", policy), body("old"));
            if !fresh {
                bench.clock.advance(100 * SECOND);
            }
            match mode {
                0 => bench.cache.invalidate_tag("everything").await,
                1 => bench.cache.invalidate_tag("name:a").await,
                _ => bench.cache.clear().await,
            }
            let served = bench.call(lookup("a", policy), failed()).await;
            assert_seen(&served, "error: out of order", Computed);
        }
    }
}

#[tokio::test]
async fn p19_an_invalidation_during_the_run_that_fails_counts_as_well() {
    let bench = Bench::new();
    let policy = policy().stale_if_error_ms(300_000);
    bench.cache.prime(&lookup("a", policy), body("old"));
    bench.clock.advance(100 * SECOND);
    let cache = bench.cache.clone();
    let function = || async move {
        cache.invalidate_tag("everything").await;
        failed()
    };
    let served = bench.call_with(lookup("a", policy), function).await;
    assert_seen(&served, "error: out of order", Computed);
}

#[tokio::test]
async fn p20_the_first_hit_after_the_share_refreshes_once_and_is_served_from_memory() {
    let bench = Bench::new();
    let policy = policy().refresh_ahead(RefreshAhead::At(0.8));
    bench.cache.prime(&lookup("a", policy), body("old"));
    bench.clock.advance(79 * SECOND);
    assert_seen(&bench.call(lookup("a", policy), good("x")).await, "old", Memory);
    settle().await;
    assert_eq!(bench.runs(), 0);
    bench.clock.advance(SECOND);
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let function = || async {
        gone.await.unwrap();
        good("new")
    };
    let served = bench.call_with(lookup("a", policy), function).await;
    assert_seen(&served, "old", Memory);
    assert_eq!(served.fresh_for, 20 * SECOND);
    for _ in 0..100 {
        assert_seen(&bench.call(lookup("a", policy), good("x")).await, "old", Memory);
    }
    go.send(()).unwrap();
    bench.cache.idle().await;
    assert_seen(&bench.call(lookup("a", policy), good("x")).await, "new", Memory);
    assert_eq!(bench.runs(), 1);
}

#[tokio::test]
async fn p20_a_caller_that_comes_when_the_entry_ends_waits_for_the_refresh_under_way() {
    let bench = Bench::new();
    let policy = policy().refresh_ahead(RefreshAhead::At(0.8));
    bench.cache.prime(&lookup("a", policy), body("old"));
    bench.clock.advance(90 * SECOND);
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let function = || async {
        gone.await.unwrap();
        good("new")
    };
    assert_seen(&bench.call_with(lookup("a", policy), function).await, "old", Memory);
    bench.clock.advance(10 * SECOND);
    let other = bench.clone();
    let waiter = tokio::spawn(async move { other.call(lookup("a", policy), good("x")).await });
    settle().await;
    go.send(()).unwrap();
    assert_seen(&waiter.await.unwrap(), "new", mcp_core::cache::CacheOutcome::Coalesced);
    assert_eq!(bench.runs(), 1);
}

#[tokio::test]
async fn p21_random_early_refreshes_are_about_one_per_ttl_however_many_the_calls() {
    for calls_per_second in [1_u32, 5, 25] {
        let bench = Bench::new();
        let policy = policy().refresh_ahead(RefreshAhead::Auto);
        let (mut refreshes, mut seconds) = (Vec::new(), 0_u64);
        for tick in 0..1_000 * calls_per_second {
            let clock = bench.clock.clone();
            let before = bench.runs();
            // Each run takes a second, by the clock of the cache.
            let function = move || async move {
                clock.advance(SECOND);
                good("x")
            };
            _ = bench.call_with(lookup("a", policy), function).await;
            bench.cache.idle().await;
            if bench.runs() > before {
                refreshes.push(seconds);
            }
            bench.clock.advance(SECOND / calls_per_second);
            if tick % calls_per_second == 0 {
                seconds += 1;
            }
        }
        let runs = refreshes.len();
        assert!((10..=13).contains(&runs), "{runs} runs in ten lives at {calls_per_second} calls a second");
        for pair in refreshes.windows(2) {
            assert!((75..=101).contains(&(pair[1] - pair[0])), "{refreshes:?}");
        }
    }
}
