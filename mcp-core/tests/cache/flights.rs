//! One run per key, whoever comes and goes.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::Poll;

use mcp_core::Failure;
use mcp_core::cache::CacheOutcome::{Bypass, Coalesced, Computed, Memory, Negative};
use mcp_core::cache::{Cache, Loaded, Served};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p10_a_thousand_calls_of_one_key_run_once() {
    let bench = Bench::new();
    let (go, gone) = oneshot::channel::<()>();
    let gone = Arc::new(tokio::sync::Mutex::new(Some(gone)));
    let calls: Vec<_> = (0..1_000)
        .map(|_| {
            let (bench, gone) = (bench.clone(), Arc::clone(&gone));
            tokio::spawn(async move {
                let function = move || async move {
                    gone.lock().await.take().expect("runs once").await.unwrap();
                    good("shared")
                };
                bench.call_with(lookup("a", policy()), function).await
            })
        })
        .collect();
    go.send(()).unwrap();
    let mut outcomes = Vec::new();
    for call in calls {
        let (text, outcome) = seen(&call.await.unwrap());
        assert_eq!(text, "shared");
        outcomes.push(outcome);
    }
    assert_eq!(bench.runs(), 1);
    assert_eq!(outcomes.iter().filter(|&&outcome| outcome == Computed).count(), 1);
    assert!(outcomes.iter().all(|outcome| [Computed, Coalesced, Memory].contains(outcome)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p10_a_run_is_never_repeated_between_its_end_and_the_next_call() {
    // No gate: the calls race with the landing.
    for round in 0..300 {
        let bench = Bench::new();
        let calls: Vec<_> = (0..16)
            .map(|_| {
                let bench = bench.clone();
                tokio::spawn(async move { bench.call(lookup("a", policy()), good("x")).await })
            })
            .collect();
        for call in calls {
            _ = call.await.unwrap();
        }
        assert_eq!(bench.runs(), 1, "round {round}");
    }
}

/// A run with `naps` await points.
async fn napping(naps: usize) -> Result<Loaded, Failure> {
    for _ in 0..naps {
        tokio::task::yield_now().await;
    }
    good("value")
}

#[tokio::test]
async fn p11_a_leader_that_leaves_after_any_number_of_polls_takes_nothing_along() {
    for polls in 0..16 {
        for joins_after in 0..=polls {
            let bench = Bench::new();
            let mut follower = None;
            {
                let mut leader = pin!(bench.call_with(lookup("a", policy()), || napping(6)));
                let mut done = false;
                for poll in 0..=polls {
                    if poll == joins_after {
                        let other = bench.clone();
                        follower = Some(tokio::spawn(async move {
                            other.call_with(lookup("a", policy()), || napping(6)).await
                        }));
                    }
                    if poll < polls && !done {
                        done = poll_fn(|cx| Poll::Ready(leader.as_mut().poll(cx).is_ready())).await;
                    }
                    tokio::task::yield_now().await;
                }
            }
            let served = follower.unwrap().await.unwrap();
            assert_eq!(seen(&served).0, "value", "left after {polls}, joined after {joins_after}");
            bench.cache.idle().await;
            assert_eq!(bench.runs(), 1, "left after {polls}, joined after {joins_after}");
            assert_eq!(bench.cache.stats().flights, 0);
            assert_seen(&bench.call(lookup("a", policy()), good("x")).await, "value", Memory);
        }
    }
}

#[tokio::test]
async fn p11_with_nobody_left_the_run_goes_on_and_its_result_is_kept() {
    let bench = Bench::new();
    {
        let mut leader = pin!(bench.call_with(lookup("a", policy()), || napping(6)));
        poll_fn(|cx| Poll::Ready(leader.as_mut().poll(cx).is_ready())).await;
    }
    bench.cache.idle().await;
    assert_seen(&bench.call(lookup("a", policy()), good("x")).await, "value", Memory);
}

#[tokio::test]
async fn p12_a_panic_becomes_one_failure_for_all_who_wait() {
    let bench = Bench::new();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let bench = bench.clone();
            tokio::spawn(async move {
                let function = || async {
                    tokio::task::yield_now().await;
                    panic!("on purpose")
                };
                bench.call_with(lookup("a", policy()), function).await
            })
        })
        .collect();
    for (number, call) in calls.into_iter().enumerate() {
        let outcome = if number == 0 { Computed } else { Coalesced };
        assert_seen(&call.await.unwrap(), "Panic", outcome);
    }
    assert_eq!(bench.runs(), 1);
    bench.cache.idle().await;
    assert_eq!(bench.cache.stats().flights, 0);
    assert_seen(&bench.call(lookup("a", policy()), good("after")).await, "after", Computed);
}

#[tokio::test]
async fn p12_a_panic_before_the_first_await_is_no_different() {
    let bench = Bench::new();
    let run = || -> std::future::Ready<Result<Loaded, Failure>> { panic!("on purpose") };
    assert_seen(&bench.cache.get_or_run(lookup("a", policy()), run).await, "Panic", Computed);
    assert_seen(&bench.cache.get_or_run(lookup("a", policy().ttl_ms(0)), run).await, "Panic", Bypass);
}

#[tokio::test]
async fn p12_a_function_that_panics_again_and_again_is_left_alone_for_longer_and_longer() {
    let failures: [fn() -> Result<Loaded, Failure>; 2] = [|| panic!("on purpose"), || Err(Failure::Timeout)];
    for failure in failures {
        let bench = Bench::new();
        let call =
            async || seen(&bench.call_with(lookup("a", policy()), move || async move { failure() }).await);
        let (text, _) = call().await;
        for expected in [Computed, Computed, Negative, Negative] {
            assert_eq!(call().await, (text.clone(), expected));
        }
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            bench.clock.advance(pause * SECOND - SECOND / 10);
            assert_eq!(call().await, (text.clone(), Negative), "{pause} s are not over");
            bench.clock.advance(SECOND / 10);
            assert_eq!(call().await, (text.clone(), Computed), "{pause} s are over");
        }
        assert_eq!(bench.runs(), 10);
        assert_seen(&bench.call(lookup("b", policy()), good("other")).await, "other", Computed);
        assert_eq!(bench.cache.stats().entries, 1, "no failure is kept");
    }
}

#[tokio::test]
async fn p12_a_success_an_answer_and_an_invalidation_end_the_pause() {
    let bench = Bench::new();
    let fail = async |times: usize| {
        for _ in 0..times {
            let timeout = Err(Failure::Timeout);
            assert_seen(&bench.call(lookup("a", policy()), timeout).await, "Timeout", Computed);
        }
    };
    fail(2).await;
    assert_seen(&bench.call(lookup("a", policy()), not_found()).await, "error: no such thing", Computed);
    fail(3).await;
    assert_seen(&bench.call(lookup("a", policy()), good("x")).await, "Timeout", Negative);
    bench.cache.invalidate_tag("name:a").await;
    assert_seen(&bench.call(lookup("a", policy()), good("x")).await, "x", Computed);
    bench.cache.invalidate_tag("name:a").await;
    fail(3).await;
}

#[tokio::test]
async fn p12_an_error_and_no_place_to_run_in_are_never_kept() {
    let bench = Bench::new();
    for _ in 0..10 {
        assert_seen(&bench.call(lookup("a", policy()), Err(Failure::Busy)).await, "Busy", Computed);
        assert_seen(&bench.call(lookup("a", policy()), failed()).await, "error: out of order", Computed);
    }
}

#[tokio::test(start_paused = true)]
async fn p13_a_waiter_that_times_out_or_leaves_affects_only_itself() {
    let bench = Bench::new();
    let begun = Instant::now();
    let call = |timeout: Option<u32>| {
        let (bench, mut lookup) = (bench.clone(), lookup("a", policy()));
        lookup.timeout = timeout.map(|seconds| seconds * SECOND);
        tokio::spawn(async move {
            let function = || async {
                tokio::time::sleep(10 * SECOND).await;
                good("slow")
            };
            let served = bench.call_with(lookup, function).await;
            (served, begun.elapsed())
        })
    };
    let leader = call(None);
    settle().await;
    let (impatient, aborted, patient) = (call(Some(1)), call(None), call(Some(20)));
    settle().await;
    aborted.abort();
    let (served, after) = impatient.await.unwrap();
    assert_seen(&served, "Timeout", Coalesced);
    assert_eq!(after, SECOND);
    let later = call(None);
    for (call, outcome) in [(leader, Computed), (patient, Coalesced), (later, Coalesced)] {
        let (served, after) = call.await.unwrap();
        assert_seen(&served, "slow", outcome);
        assert_eq!(after, 10 * SECOND);
    }
    assert_eq!(bench.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn p14_a_hard_timeout_ends_the_run_in_time() {
    struct Dropped(Arc<AtomicU64>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let dropped = Arc::new(AtomicU64::new(0));
    for policy in [policy(), policy().ttl_ms(0)] {
        let bench = Bench::new();
        let mut lookup = lookup("a", policy);
        lookup.timeout = Some(2 * SECOND);
        let begun = Instant::now();
        let guard = Dropped(Arc::clone(&dropped));
        let function = || async move {
            let _guard = guard;
            std::future::pending().await
        };
        let served = bench.call_with(lookup.clone(), function).await;
        assert!(matches!(served.result, Err(Failure::Timeout)));
        assert_eq!(begun.elapsed(), 2 * SECOND);
        bench.cache.idle().await;
        assert!(bench.call(lookup, good("after")).await.result.is_ok());
    }
    assert_eq!(dropped.load(SeqCst), 2);
}

/// Calls itself with the same key, `depth` times.
fn recursive(cache: Cache, depth: u32) -> std::pin::Pin<Box<dyn Future<Output = Served> + Send>> {
    Box::pin(async move {
        let inner = cache.clone();
        let function = move || async move {
            if depth == 0 {
                return good("bottom");
            }
            recursive(inner, depth - 1).await.result.map(|body| Loaded {
                body,
                store: true,
                failed: false,
                own: false,
            })
        };
        cache.get_or_run(lookup("a", policy()), function).await
    })
}

#[tokio::test(start_paused = true)]
async fn p15_a_function_that_calls_itself_ends() {
    let bench = Bench::new();
    let served = tokio::time::timeout(60 * SECOND, recursive(bench.cache.clone(), 3)).await.expect("ends");
    assert_seen(&served, "bottom", Computed);
    let stats = bench.cache.stats();
    assert_eq!((stats.computed, stats.bypass, stats.flights), (1, 3, 0));
}

#[tokio::test(start_paused = true)]
async fn p15_functions_that_call_each_other_at_the_same_time_end() {
    /// Calls `first`, whose function calls the rest.
    fn chain(
        cache: Cache,
        names: Vec<&'static str>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Served> + Send>> {
        Box::pin(async move {
            let (first, rest) = (names[0], names[1..].to_vec());
            let inner = cache.clone();
            let function = move || async move {
                settle().await;
                if rest.is_empty() {
                    return good("end");
                }
                chain(inner, rest).await.result.map(|body| Loaded {
                    body,
                    store: true,
                    failed: false,
                    own: false,
                })
            };
            cache.get_or_run(lookup(first, policy()), function).await
        })
    }
    let bench = Bench::new();
    let rings = [vec!["a", "b", "c", "a"], vec!["b", "c", "a", "b"], vec!["c", "a", "b", "c"]];
    let calls = rings.map(|ring| tokio::spawn(chain(bench.cache.clone(), ring)));
    for call in calls {
        let served = tokio::time::timeout(60 * SECOND, call).await.expect("ends").unwrap();
        assert_eq!(seen(&served).0, "end");
    }
    bench.cache.idle().await;
    assert!(bench.cache.stats().bypass > 0);
}

#[tokio::test(start_paused = true)]
async fn p16_nothing_is_left_when_all_is_quiet_and_a_drain_waits_no_longer_than_told() {
    let bench = Bench::new();
    for name in ["a", "b", "c"] {
        let other = bench.clone();
        drop(tokio::spawn(async move {
            let function = || async {
                tokio::time::sleep(5 * SECOND).await;
                good("x")
            };
            other.call_with(lookup(name, policy()), function).await
        }));
    }
    settle().await;
    assert_eq!(bench.cache.stats().flights, 3);
    assert!(!bench.cache.drain(SECOND).await);
    assert!(bench.cache.drain(10 * SECOND).await);
    assert_eq!(bench.cache.stats().flights, 0);
}

#[test]
fn p16_the_end_of_a_runtime_ends_its_flights_and_the_cache_lives_on() {
    let bench = Bench::new();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    first.block_on(async {
        let other = bench.clone();
        drop(tokio::spawn(async move { other.call_with(lookup("a", policy()), std::future::pending).await }));
        settle().await;
    });
    assert_eq!(bench.cache.stats().flights, 1);
    drop(first);
    assert_eq!(bench.cache.stats().flights, 0);
    let served = runtime().block_on(bench.call(lookup("a", policy()), good("again")));
    assert_seen(&served, "again", Computed);
}

#[tokio::test]
async fn questions_go_to_the_caller_that_caused_them_and_others_run_by_themselves() {
    let bench = Bench::new();
    let calls: Vec<_> = (0..3)
        .map(|number| {
            let bench = bench.clone();
            tokio::spawn(async move {
                let function = move || async move {
                    tokio::task::yield_now().await;
                    if number == 0 { Err(Failure::InputRequired(Default::default())) } else { good(number) }
                };
                bench.call_with(lookup("a", policy()), function).await
            })
        })
        .collect();
    let mut served = Vec::new();
    for call in calls {
        served.push(call.await.unwrap());
    }
    assert!(matches!(served[0].result, Err(Failure::InputRequired(_))));
    assert_seen(&served[1], "1", Bypass);
    assert_seen(&served[2], "2", Bypass);
    assert!(bench.cache.entry(&key("a")).is_none());
}

#[tokio::test]
async fn beyond_the_most_flights_calls_run_by_themselves() {
    let bench = Bench::with(|options| options.max_flights = 1);
    let (go, gone) = oneshot::channel::<()>();
    let other = bench.clone();
    let first = tokio::spawn(async move {
        let function = || async {
            gone.await.unwrap();
            good("first")
        };
        other.call_with(lookup("a", policy()), function).await
    });
    settle().await;
    assert_seen(&bench.call(lookup("b", policy()), good("alone")).await, "alone", Bypass);
    assert_eq!(bench.cache.stats().flight_overflows, 1);
    go.send(()).unwrap();
    assert_seen(&first.await.unwrap(), "first", Computed);
    assert_seen(&bench.call(lookup("b", policy()), good("kept")).await, "kept", Computed);
}
