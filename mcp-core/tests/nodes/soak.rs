//! Nodes, writers and a level that misbehaves, for as long as there is time: no call gets what it must not.
//!
//! Time is tokio's paused one, so that a minute takes a second. `MCP_FUZZ_SECONDS` says for how long, and
//! `MCP_FUZZ_SEED` with what.

use std::sync::Arc;
use std::time::Instant;

use mcp_core::cache::TagId;
use mcp_core::cache::level::Level;
use mcp_core::clock::{Clock, FakeClock};
use mcp_core::policy::{CachePolicy, Levels, RefreshAhead};

use crate::support::*;

const NODES: usize = 3;
const THINGS: usize = 6;
const CALLERS: usize = 4;
/// Of virtual time.
const EPISODE: u64 = 60;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn p22_no_call_gets_an_older_value_whatever_the_level_does() {
    let time = variable("MCP_FUZZ_SECONDS").unwrap_or(5);
    let first = variable("MCP_FUZZ_SEED").unwrap_or_else(|| {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        since.as_micros() as u64
    });
    let begun = Instant::now();
    let (mut seed, mut calls) = (first, 0);
    loop {
        println!("MCP_FUZZ_SEED={seed}");
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        calls += runtime.block_on(episode(seed));
        seed += 1;
        if begun.elapsed().as_secs() >= time {
            break;
        }
    }
    println!("{} episodes of {EPISODE} s, {calls} calls", seed - first);
}

/// Some minutes of chaos, then quiet. Returns how many calls were checked.
async fn episode(seed: u64) -> u64 {
    let dice = Arc::new(Dice::new(seed));
    let shelf = Shelf::default();
    let (clock, hand) = Clock::fake();
    tokio::spawn(tick(hand));
    let (mut nodes, mut levels) = (Vec::new(), Vec::new());
    for number in 0..NODES {
        let level = Arc::new(Chaos::new(shelf.clone(), seed ^ number as u64, Faults::default()));
        let clock = clock.clone();
        nodes.push(Node::on(Arc::clone(&level) as Arc<dyn Level>, |options| options.clock = clock).await);
        levels.push(level);
    }
    // Outages of up to 8 s, breakers of 4 s, and a word that gets through at the third attempt.
    let oracle = Arc::new(Oracle::new(NODES, THINGS, 20 * SECOND));

    let mut tasks = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        for _ in 0..CALLERS {
            tasks.push(tokio::spawn(caller(node.clone(), number, Arc::clone(&oracle), Arc::clone(&dice))));
        }
        // Two, so that one invalidates while the level is told what the other did.
        for _ in 0..2 {
            tasks.push(tokio::spawn(writer(node.clone(), number, Arc::clone(&oracle), Arc::clone(&dice))));
        }
    }
    let begun = tokio::time::Instant::now();
    while begun.elapsed().as_secs() < EPISODE {
        let (number, faults) = (dice.below(NODES), weather(&dice));
        levels[number].set(faults);
        tokio::time::sleep(SECOND.mul_f64(1.0 + 3.0 * dice.unit())).await;
    }
    for level in &levels {
        level.set(Faults::default());
    }
    for task in &tasks {
        task.abort();
    }
    // All is well again: soon all nodes agree with the origin, on what is below as well.
    for (number, node) in nodes.iter().enumerate() {
        until("all is told", async || node.cache.stats().levels[0].pending == 0).await;
        for thing in 0..THINGS {
            let (truth, place) = (oracle.read(thing), format!("node {number}, thing {thing}, seed {seed}"));
            until(&place, async || version(node, thing, &oracle, 0).await == truth).await;
        }
        node.cache.idle().await;
    }
    for node in &nodes {
        let stats = node.cache.stats();
        assert_eq!((stats.flights, stats.levels[0].pending), (0, 0));
        assert!(stats.levels[0].corrupt <= stats.levels[0].misses);
    }
    let checked = oracle.verdict();
    assert!(checked > 1000, "only {checked} calls");
    checked
}

/// What a level suffers from for the next seconds.
fn weather(dice: &Dice) -> Faults {
    let slow = millis(0)..millis(40);
    match dice.below(5) {
        0 => Faults::default(),
        1 => Faults { error: 1.0, ..Faults::default() },
        2 => Faults { hang: 1.0, ..Faults::default() },
        3 => Faults { delay: millis(0)..millis(400), duplicate: 0.3, shuffle: 0.5, ..Faults::default() },
        _ => {
            let (drop, duplicate, corrupt) = (0.1, 0.2, 0.1);
            Faults { error: 0.1, hang: 0.03, delay: slow, drop, duplicate, corrupt, shuffle: 0.3 }
        }
    }
}

/// Lets the caches' clock go with the runtime's.
async fn tick(hand: FakeClock) {
    loop {
        tokio::time::sleep(millis(5)).await;
        hand.advance(millis(5));
    }
}

fn kind(thing: usize) -> CachePolicy {
    let long = policy().ttl_ms(60_000);
    match thing {
        0 => long,
        1 => policy().ttl_ms(50).stale_ms(30_000),
        2 => policy().ttl_ms(400).refresh_ahead(RefreshAhead::At(0.2)),
        3 => long.levels(Levels::Shared),
        4 => policy().ttl_ms(200).stale_if_error_ms(30_000),
        _ => long.levels(Levels::All).refresh_ahead(RefreshAhead::Auto),
    }
}

/// Calls once; the function reads what is there at some moment, and takes its time.
async fn version(node: &Node, thing: usize, oracle: &Arc<Oracle>, pause: u64) -> u64 {
    let truth = Arc::clone(oracle);
    let function = move || async move {
        tokio::time::sleep(millis(pause)).await;
        let version = truth.read(thing);
        tokio::time::sleep(millis(pause)).await;
        good(version)
    };
    let served = node.call_with(node.lookup(&thing.to_string(), kind(thing)), function).await;
    text(&served).parse().unwrap_or_else(|_| panic!("a call failed: {}", text(&served)))
}

async fn caller(node: Node, number: usize, oracle: Arc<Oracle>, dice: Arc<Dice>) {
    loop {
        let thing = dice.below(THINGS);
        let floor = oracle.floor(number, thing);
        let got = version(&node, thing, &oracle, dice.below(30) as u64).await;
        oracle.check(floor, got, &format!("node {number}, thing {thing}"));
        tokio::time::sleep(millis(dice.below(20) as u64)).await;
    }
}

async fn writer(node: Node, number: usize, oracle: Arc<Oracle>, dice: Arc<Dice>) {
    loop {
        tokio::time::sleep(millis(dice.below(500) as u64)).await;
        let thing = dice.below(THINGS);
        let all: Vec<usize> = (0..THINGS).collect();
        match dice.below(8) {
            0 => {
                let versions = oracle.write(&all);
                node.cache.clear().await;
                oracle.invalidated(number, &all, &versions);
            }
            1 => {
                let versions = oracle.write(&all);
                node.cache.invalidate_tag("everything").await;
                oracle.invalidated(number, &all, &versions);
            }
            2 => {
                let versions = oracle.write(&[thing]);
                node.cache.invalidate(&[TagId::tag(&format!("name:{thing}"))]);
                oracle.invalidated(number, &[thing], &versions);
            }
            _ => {
                let versions = oracle.write(&[thing]);
                node.cache.invalidate_tag(&format!("name:{thing}")).await;
                oracle.invalidated(number, &[thing], &versions);
            }
        }
    }
}
