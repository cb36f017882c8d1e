//! What one node has made, the others do not make again.

use std::time::Duration;

use mcp_core::cache::CacheOptions;
use mcp_core::cache::CacheOutcome::{self, Computed, Memory, Shared, Stale};
use mcp_core::clock::Clock;
use mcp_core::policy::Levels;

use crate::support::*;

#[tokio::test]
async fn p20_a_refresh_that_finds_a_newer_value_below_does_not_run_the_function() {
    let (url, application) = (redis_url(), application("p20"));
    let nodes = Node::many(2, &url, &application).await;
    let policy = policy().ttl_ms(300).stale_ms(60_000);
    let call = async |node: &Node, result: &str| {
        let served = node.call(node.lookup("a", policy), good(result)).await;
        node.cache.idle().await;
        seen(&served)
    };
    assert_eq!(call(&nodes[0], "1").await, ("1".into(), Computed));
    assert_eq!(call(&nodes[1], "2").await, ("1".into(), Shared));
    until("it is past its ttl", async || {
        nodes[1].cache.entry(&nodes[1].lookup("a", policy).key).unwrap().fresh_for == Duration::ZERO
    })
    .await;
    assert_eq!(call(&nodes[0], "3").await, ("1".into(), Stale), "and refreshes behind");
    assert_eq!(nodes[0].runs(), 2);
    assert_eq!(call(&nodes[1], "4").await, ("1".into(), Stale), "and refreshes from below");
    assert_eq!(nodes[1].runs(), 0);
    assert_eq!(call(&nodes[1], "5").await.0, "3");
    assert_eq!(nodes[1].runs(), 0);
}

#[tokio::test]
async fn p41_cold_nodes_over_a_warm_level_compute_nothing_and_over_a_cold_one_at_most_once_each() {
    let (url, application) = (redis_url(), application("p41"));
    let names: Vec<String> = (0..20).map(|name| name.to_string()).collect();
    let all_at_once = async |nodes: &[Node]| {
        let mut calls = Vec::new();
        for node in nodes {
            for name in &names {
                let (node, name) = (node.clone(), name.clone());
                calls.push(tokio::spawn(async move { node.settle(&name, &name).await.0 == name }));
            }
        }
        for call in calls {
            assert!(call.await.unwrap());
        }
        nodes.iter().map(Node::runs).collect::<Vec<_>>()
    };
    let cold = Node::many(6, &url, &application).await;
    let runs = all_at_once(&cold).await;
    assert!(runs.iter().all(|runs| *runs <= names.len() as u64), "{runs:?}");
    let warm = Node::many(6, &url, &application).await;
    assert_eq!(all_at_once(&warm).await, [0; 6]);
}

#[tokio::test]
async fn p42_a_promoted_value_ends_when_it_would_have_at_every_level() {
    let (url, application) = (redis_url(), application("p42"));
    let nodes = Node::many(2, &url, &application).await;
    let policy = policy().ttl_ms(1_500);
    let lookup = nodes[0].lookup("a", policy);
    _ = nodes[0].call(lookup.clone(), good("1")).await;
    nodes[0].cache.idle().await;
    let begun = tokio::time::Instant::now();
    let key = [format!("mcp:{{{application}}}:v:").as_bytes(), lookup.key.as_bytes()].concat();
    let mut connection = connect(&url).await;
    let mut last = i64::MAX;
    let mut ends = None;
    while begun.elapsed() < Duration::from_millis(1_400) {
        let left: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await.unwrap();
        assert!(left <= last, "{left} ms are left after {last}");
        last = left;
        // A new node each time: it reads and promotes, and must not write.
        let node = Node::open(&url, &application).await;
        let served = node.call(lookup.clone(), good("2")).await;
        if begun.elapsed() < Duration::from_millis(1_300) {
            assert_eq!(seen(&served), ("1".into(), Shared));
            let end = begun.elapsed() + served.fresh_for;
            let first = *ends.get_or_insert(end);
            assert!(end.abs_diff(first) < millis(50), "it ends at {end:?} here, at {first:?} elsewhere");
        }
        node.cache.idle().await;
        let below = &node.cache.stats().levels[0];
        assert!(below.hits == 0 || below.stored == 0, "what was found is not written where it was");
        tokio::time::sleep(millis(200)).await;
    }
    while redis::cmd("EXISTS").arg(&key).query_async::<i64>(&mut connection).await.unwrap() == 1 {
        assert!(begun.elapsed() < millis(1_500) + SECOND, "it does not end below");
        tokio::time::sleep(millis(10)).await;
    }
    assert_eq!(nodes[1].settle("a", "3").await, ("3".into(), Computed));
}

#[tokio::test]
async fn p43_the_clock_of_the_level_decides_whatever_that_of_a_node_says() {
    let (url, application) = (redis_url(), application("p43"));
    let (clock, hand) = Clock::fake();
    // Ten minutes ahead when it stores.
    hand.advance(600 * SECOND);
    let ahead = Node::with(&url, &application, |options| options.clock = clock).await;
    let (clock, still) = Clock::fake();
    let standing = Node::with(&url, &application, |options| options.clock = clock).await;
    let real = Node::open(&url, &application).await;
    let policy = policy().ttl_ms(700);
    let lookup = ahead.lookup("a", policy);
    assert_eq!(seen(&ahead.call(lookup.clone(), good("1")).await).1, Computed);
    ahead.cache.idle().await;
    hand.advance(600 * SECOND);
    assert_eq!(seen(&ahead.call(lookup.clone(), good("2")).await), ("1".into(), Shared), "it asks below");
    for node in [&standing, &real] {
        let served = node.call(lookup.clone(), good("3")).await;
        assert_eq!(seen(&served), ("1".into(), Shared), "sharing goes on");
        assert!(served.fresh_for <= Duration::from_millis(700));
    }
    until("it ended", async || real.cache.get(&lookup.key, &policy).is_none()).await;
    still.advance(SECOND);
    for node in [&standing, &ahead] {
        hand.advance(SECOND);
        let (result, outcome) = seen(&node.call(lookup.clone(), good("4")).await);
        assert_eq!(result, "4", "{outcome:?}: nobody extends its life");
        node.cache.idle().await;
    }
}

#[tokio::test]
async fn p40_two_versions_of_a_server_run_together_and_read_nothing_of_each_other() {
    let (url, application) = (redis_url(), application("p40"));
    let nodes = Node::many(4, &url, &application).await;
    for round in 0..2 {
        for (number, node) in nodes.iter().enumerate() {
            let schema = number as u64 % 2;
            let served = node.call(node.lookup_of("a", policy(), None, schema), good(schema)).await;
            node.cache.idle().await;
            assert_eq!(text(&served), schema.to_string(), "round {round}");
        }
    }
    assert_eq!(nodes.iter().map(Node::runs).sum::<u64>(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p41_a_thousand_callers_of_one_key_on_each_of_four_nodes_run_it_four_times_at_most() {
    herd(false, 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p41_with_a_lease_they_run_it_once() {
    herd(true, 1).await;
}

/// A thousand callers on each of four nodes, of which so many may compute a round.
async fn herd(lease: bool, most: u64) {
    let (url, application) = (redis_url(), application("herd"));
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(Node::with(&url, &application, |options| options.lease = lease).await);
    }
    for round in 1..=3 {
        let mut calls = Vec::new();
        for node in &nodes {
            for _ in 0..1_000 {
                let node = node.clone();
                calls.push(tokio::spawn(async move {
                    let slow = move || async move {
                        tokio::time::sleep(millis(20)).await;
                        good(round)
                    };
                    text(&node.call_with(node.lookup("a", policy()), slow).await)
                }));
            }
        }
        for call in calls {
            assert_eq!(call.await.unwrap(), round.to_string());
        }
        let runs: u64 = nodes.iter().map(Node::runs).sum();
        assert!(runs <= most * round, "{runs} runs in round {round}");
        for node in &nodes {
            node.cache.idle().await;
        }
        nodes[0].cache.invalidate_tag("name:a").await;
        until("all nodes know", async || {
            nodes.iter().all(|node| node.cache.get(&node.lookup("a", policy()).key, &policy()).is_none())
        })
        .await;
    }
}

#[tokio::test]
async fn a_lease_whose_holder_is_gone_is_waited_for_and_then_ignored() {
    let (url, application) = (redis_url(), application("holder"));
    let node = Node::with(&url, &application, |options| options.lease = true).await;
    let lookup = node.lookup("a", policy());
    assert!(level(&url, &application).lease(&lookup.key, 7, PATIENCE).await.unwrap());
    let begun = tokio::time::Instant::now();
    assert_eq!(node.settle("a", "1").await.1, CacheOutcome::Computed);
    let waited = begun.elapsed();
    assert!(waited > SECOND && waited < PATIENCE / 2, "{waited:?}");
    // A result that somebody stores meanwhile is waited for no longer.
    let lookup = node.lookup("b", policy());
    assert!(level(&url, &application).lease(&lookup.key, 7, PATIENCE).await.unwrap());
    let waiting = {
        let node = node.clone();
        tokio::spawn(async move { node.settle("b", "2").await })
    };
    let other = Node::open(&url, &application).await;
    assert_eq!(other.settle("b", "1").await, ("1".to_owned(), CacheOutcome::Computed));
    assert_eq!(waiting.await.unwrap(), ("1".to_owned(), CacheOutcome::Shared));
}

#[tokio::test]
async fn an_old_value_from_below_is_served_before_the_function_is_called() {
    let (url, application) = (redis_url(), application("stale"));
    let node = Node::open(&url, &application).await;
    let policy = policy().ttl_ms(50).stale_ms(60_000);
    _ = node.call(node.lookup("a", policy), good("1")).await;
    node.cache.idle().await;
    tokio::time::sleep(millis(60)).await;
    let other = Node::open(&url, &application).await;
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let slow = || async {
        gone.await.unwrap();
        good("2")
    };
    assert_eq!(seen(&other.call_with(other.lookup("a", policy), slow).await), ("1".into(), Stale));
    go.send(()).unwrap();
    other.cache.idle().await;
    assert_eq!(other.runs(), 1);
    assert_eq!(
        text(&Node::open(&url, &application).await.call(node.lookup("a", policy), good("3")).await),
        "2"
    );
}

#[tokio::test]
async fn an_old_value_from_below_replaces_a_failure() {
    let (url, application) = (redis_url(), application("error"));
    let node = Node::open(&url, &application).await;
    let policy = policy().ttl_ms(50).stale_if_error_ms(60_000);
    _ = node.call(node.lookup("a", policy), good("1")).await;
    node.cache.idle().await;
    tokio::time::sleep(millis(60)).await;
    let other = Node::open(&url, &application).await;
    assert_eq!(seen(&other.call(other.lookup("a", policy), failed()).await), ("1".into(), Stale));
    assert_eq!(other.runs(), 1);
    other.cache.invalidate_tag("name:a").await;
    let last = Node::open(&url, &application).await;
    let served = last.call(last.lookup("a", policy), failed()).await;
    assert!(served.result.is_err(), "what was invalidated replaces nothing");
}

#[tokio::test]
async fn a_policy_says_which_levels_keep_a_result() {
    let (url, application) = (redis_url(), application("levels"));
    let nodes = Node::many(2, &url, &application).await;
    let call = async |node: usize, name: &str, levels: Levels| {
        let node = &nodes[node];
        let served = node.call(node.lookup(name, policy().levels(levels)), good("1")).await;
        node.cache.idle().await;
        served.outcome
    };
    for (levels, expected) in [
        (Levels::All, [Computed, Memory, Shared, Memory]),
        (Levels::Memory, [Computed, Memory, Computed, Memory]),
        (Levels::Shared, [Computed, Shared, Shared, Shared]),
    ] {
        let name = format!("{levels:?}");
        let mut outcomes: Vec<CacheOutcome> = Vec::new();
        for node in [0, 0, 1, 1] {
            outcomes.push(call(node, &name, levels).await);
        }
        assert_eq!(outcomes, expected, "{levels:?}");
    }
}

#[tokio::test]
async fn private_results_stay_in_memory_without_a_secret_unless_told_otherwise() {
    use mcp_core::policy::Scope;
    let url = redis_url();
    let call = async |node: &Node, scope: Scope| {
        let served = node.call(node.lookup("a", policy().scope(scope)), good("1")).await;
        node.cache.idle().await;
        served.outcome
    };
    type Case = (&'static str, fn(&mut CacheOptions), CacheOutcome);
    let cases: [Case; 3] = [
        ("open", |options| options.secret = None, Computed),
        ("told", |options| (options.secret, options.share_private) = (None, true), Shared),
        ("secret", |_| {}, Shared),
    ];
    for (name, change, private) in cases {
        for (scope, second) in [(Scope::Private, private), (Scope::Public, Shared)] {
            let application = application(name);
            let first = Node::with(&url, &application, change).await;
            let other = Node::with(&url, &application, change).await;
            assert_eq!(call(&first, scope).await, Computed, "{name}, {scope:?}");
            assert_eq!(call(&other, scope).await, second, "{name}, {scope:?}");
        }
    }
}

#[tokio::test]
async fn what_is_gone_is_gone_below_as_well() {
    let (url, application) = (redis_url(), application("gone"));
    let policy = policy().ttl_ms(50).stale_ms(60_000);
    let (here, there) = (Node::open(&url, &application).await, Node::open(&url, &application).await);
    _ = here.call(here.lookup("a", policy), good("1")).await;
    here.cache.idle().await;
    tokio::time::sleep(millis(60)).await;
    // Served as it was, while the function learns that it is no more.
    let gone = || Err(mcp_core::ToolError::not_found("gone").into());
    let served = there.call(there.lookup("a", policy), gone()).await;
    assert_eq!(seen(&served), ("1".to_owned(), Stale));
    there.cache.idle().await;
    let other = Node::open(&url, &application).await;
    let served = other.call(other.lookup("a", policy), gone()).await;
    assert!(served.result.is_err(), "{:?}", seen(&served));
    assert_eq!(served.outcome, Computed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_holds_where_there_is_only_something_to_replace_a_failure() {
    let (url, application) = (redis_url(), application("dead"));
    let policy = policy().ttl_ms(50).stale_if_error_ms(60_000);
    let first = Node::open(&url, &application).await;
    _ = first.call(first.lookup("a", policy), good("1")).await;
    first.cache.idle().await;
    tokio::time::sleep(millis(60)).await;
    let policy = policy.ttl_ms(60_000);
    let mut calls = Vec::new();
    let mut nodes = Vec::new();
    for _ in 0..4 {
        let node = Node::with(&url, &application, |options| options.lease = true).await;
        nodes.push(node.clone());
        calls.push(tokio::spawn(async move {
            let slow = || async {
                tokio::time::sleep(millis(100)).await;
                good("2")
            };
            text(&node.call_with(node.lookup("a", policy), slow).await)
        }));
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), "2");
    }
    assert_eq!(nodes.iter().map(Node::runs).sum::<u64>(), 1);
}
