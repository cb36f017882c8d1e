//! The figures add up.

use mcp_server::cache::CacheStats;
use mcp_server::serde_json::json;

use super::lab::{Bench, Does, SECOND};
use super::races::Numbers;

/// The tools of the mixture: those that never refresh behind a caller, and those that do.
const SIMPLE: [&str; 5] = ["plain", "public", "negative", "uncached", "small"];
const REFRESHING: [&str; 4] = ["stale", "resilient", "ahead", "lasting"];

fn outcomes(stats: &CacheStats) -> u64 {
    stats.memory
        + stats.shared
        + stats.database
        + stats.coalesced
        + stats.computed
        + stats.stale
        + stats.negative
        + stats.bypass
}

#[tokio::test]
async fn p45_every_call_has_one_outcome_and_every_miss_one_run() {
    let bench = Bench::new();
    let mut numbers = Numbers(0x5DEE_CE66);
    let mut calls = std::collections::HashMap::<&str, u64>::new();
    let all: Vec<_> = SIMPLE.into_iter().chain(REFRESHING).collect();
    for _ in 0..300 {
        let mut tasks = Vec::new();
        for _ in 0..1 + numbers.below(8) {
            let name = all[numbers.below(9) as usize];
            let id = ["a", "b", "c"][numbers.below(3) as usize];
            let does = match numbers.below(8) {
                0 => Does::Fail,
                1 => Does::NotFound,
                2 => Does::IsError,
                3 => Does::Say("x".repeat(2000)),
                _ => Does::Count,
            };
            bench.lab.set(&format!("{name}:{id}"), does);
            *calls.entry(name).or_default() += 1;
            tasks.push(bench.spawn(name, id));
        }
        for task in tasks {
            task.await.unwrap();
        }
        match numbers.below(6) {
            0 => bench.clock.advance(numbers.below(60) as u32 * SECOND),
            1 => bench.cache().clear().await,
            2 => bench.cache().invalidate_tag("lasting:a").await,
            _ => bench.clock.advance(SECOND),
        }
    }
    bench.idle().await;

    let stats = bench.stats();
    let total: u64 = calls.values().sum();
    assert_eq!(outcomes(&stats), total);
    let mut refreshes = 0;
    for name in all {
        let figures = bench.figures("tool", name);
        let of =
            |way: &str| figures.cache.iter().find(|(word, _)| word == way).map_or(0, |(_, calls)| *calls);
        assert_eq!(figures.calls, calls[name], "{name}");
        assert_eq!(figures.cache.iter().map(|(_, calls)| calls).sum::<u64>(), calls[name], "{name}");
        assert_eq!(figures.outcomes.iter().map(|(_, calls)| calls).sum::<u64>(), calls[name], "{name}");
        let own = of("computed") + of("bypass");
        if SIMPLE.contains(&name) {
            assert_eq!(bench.lab.runs_of(name), own, "{name}");
        } else {
            // A run that failed and was replaced by an old result was a run as well.
            let runs = bench.lab.runs_of(name);
            assert!(
                runs >= own && runs <= own + of("stale") + of("memory"),
                "{name}: {runs} for {figures:?}"
            );
            refreshes += runs - own;
        }
    }
    assert!(refreshes >= stats.refreshes, "{refreshes} for {stats:?}");
    assert_eq!(stats.flights, 0);
    for (way, count) in [("memory", stats.memory), ("stale", stats.stale), ("negative", stats.negative)] {
        assert!(count > 0, "the mixture has no {way}: {stats:?}");
    }
}

#[tokio::test]
async fn p45_calls_with_wrong_arguments_and_calls_that_end_early_are_counted_once() {
    let bench = Bench::new();
    bench.tool("plain", "a").await;
    bench.tool("plain", "a").await;
    bench.call("plain", json!({})).await;
    bench.call("plain", json!({ "id": 7 })).await;
    let gate = bench.lab.close("plain:b");
    let caller = bench.spawn("plain", "b");
    gate.entered().await;
    caller.abort();
    assert!(caller.await.is_err());
    gate.open();
    bench.idle().await;
    let figures = bench.figures("tool", "plain");
    assert_eq!(figures.calls, 5);
    let expected = [("ok", 2), ("tool_error", 2), ("dropped", 1)];
    assert_eq!(figures.outcomes, expected.map(|(word, calls)| (word.to_owned(), calls)));
    assert_eq!(figures.cache.iter().map(|(_, calls)| calls).sum::<u64>(), 5, "{figures:?}");
}
