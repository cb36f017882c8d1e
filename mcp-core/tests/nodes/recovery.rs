//! An outage in which nodes write and invalidate; after it, what is below is the newest there is, or nothing.

use std::sync::Arc;

use mcp_core::cache::CacheOutcome::{Computed, Shared};
use tokio::time::Instant;

use crate::support::*;

const NODES: usize = 10;
const WRITERS: usize = 6;
const THINGS: usize = 8;

async fn version(node: &Node, thing: usize, oracle: &Arc<Oracle>) -> u64 {
    let truth = Arc::clone(oracle);
    let function = move || async move { good(truth.read(thing)) };
    text(&node.call_with(node.lookup(&thing.to_string(), policy()), function).await).parse().unwrap()
}

/// Six of ten nodes change things while nothing comes through to Redis.
async fn outage(mode: Mode) {
    let (url, application) = (redis_url(), application("p33"));
    let (dice, proxy) = (Dice::new(33), Proxy::to_redis().await);
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        nodes.push(Node::open(&proxy.url(), &application).await);
    }
    // Others hear of nothing as long as this lasts: what they may serve ends with the bound for that.
    let oracle = Arc::new(Oracle::new(NODES, THINGS, 15 * SECOND));
    for node in &nodes {
        for thing in 0..THINGS {
            assert_eq!(version(node, thing, &oracle).await, 0);
        }
        node.cache.idle().await;
    }
    proxy.set(mode);
    let begun = Instant::now();
    while begun.elapsed() < 2 * SECOND {
        let mut round = Vec::new();
        for (number, node) in nodes.iter().enumerate().take(WRITERS) {
            let (node, oracle, thing) = (node.clone(), Arc::clone(&oracle), dice.below(THINGS));
            round.push(tokio::spawn(async move {
                let versions = oracle.write(&[thing]);
                node.cache.invalidate_tag(&format!("name:{thing}")).await;
                oracle.invalidated(number, &[thing], &versions);
                let floor = oracle.floor(number, thing);
                oracle.check(floor, version(&node, thing, &oracle).await, &format!("node {number}"));
            }));
        }
        for write in round {
            write.await.unwrap();
        }
        tokio::time::sleep(millis(30)).await;
    }
    let pending: usize = nodes.iter().map(|node| node.cache.stats().levels[0].pending).sum();
    assert!(pending > 0 && pending <= WRITERS * THINGS, "{pending} wait");
    proxy.set(Mode::Pass);
    let healed = Instant::now();
    for node in &nodes {
        until("all is told", async || {
            // Calls find out that the level is well again; nobody else does.
            let name = format!("probe-{}", healed.elapsed().as_micros());
            _ = node.call(node.lookup(&name, policy()), good("1")).await;
            let stats = &node.cache.stats().levels[0];
            stats.pending == 0 && stats.up
        })
        .await;
    }
    println!("{mode:?}: {pending} invalidations were told {:?} after the heal", healed.elapsed());
    assert!(healed.elapsed() < millis(5_500));
    // What is below now is what a node that knows nothing finds.
    let fresh = Node::open(&url, &application).await;
    for thing in 0..THINGS {
        let lookup = fresh.lookup(&thing.to_string(), policy());
        let served = fresh.call(lookup, good("none")).await;
        match (served.outcome, text(&served)) {
            (Shared, found) => assert_eq!(found, oracle.read(thing).to_string(), "thing {thing}"),
            (Computed, found) => assert_eq!(found, "none"),
            (outcome, _) => panic!("{outcome:?}"),
        }
        fresh.cache.invalidate_tag(&format!("name:{thing}")).await;
    }
    for node in &nodes {
        for thing in 0..THINGS {
            until("all agree", async || version(node, thing, &oracle).await == oracle.read(thing)).await;
        }
    }
    oracle.verdict();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p33_after_an_outage_what_is_below_is_the_newest_or_nothing() {
    outage(Mode::Refuse).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p33_after_a_black_hole_what_is_below_is_the_newest_or_nothing() {
    outage(Mode::BlackHole).await;
}

#[tokio::test]
async fn p23_a_result_from_before_an_outage_is_not_written_after_it() {
    let (url, application) = (redis_url(), application("late"));
    let proxy = Proxy::to_redis().await;
    let far = Node::open(&proxy.url(), &application).await;
    let near = Node::open(&url, &application).await;
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let (begun, running) = tokio::sync::oneshot::channel::<()>();
    let slow = far.clone();
    let call = tokio::spawn(async move {
        let function = || async {
            begun.send(()).unwrap();
            gone.await.unwrap();
            good("old")
        };
        text(&slow.call_with(slow.lookup("a", policy()), function).await)
    });
    running.await.unwrap();
    proxy.set(Mode::BlackHole);
    near.cache.invalidate_tag("name:a").await;
    assert_eq!(near.settle("a", "new").await, ("new".into(), Computed));
    go.send(()).unwrap();
    assert_eq!(call.await.unwrap(), "old");
    proxy.set(Mode::Pass);
    far.cache.idle().await;
    let fresh = Node::open(&url, &application).await;
    assert_eq!(fresh.settle("a", "x").await, ("new".into(), Shared));
    until("it has heard", async || far.settle("a", "x").await.0 == "new").await;
}

#[tokio::test]
async fn a_level_that_is_older_than_it_was_is_invalidated() {
    let Some(server) = Server::start("older").await else { return };
    let application = application("older");
    let nodes = Node::many(2, &server.url(), &application).await;
    assert_eq!(nodes[0].settle("a", "1").await.1, Computed);
    let marks = format!("mcp:{{{application}}}:marks");
    let before: Vec<String> = server.query(&["HGETALL", &marks]).await;
    let key: Vec<Vec<u8>> = server.query(&["KEYS", "*:v:*"]).await;
    let mut connection = connect(&server.url()).await;
    let value: Vec<u8> = redis::cmd("GET").arg(&key[0]).query_async(&mut connection).await.unwrap();
    nodes[0].cache.invalidate_tag("name:a").await;
    assert_eq!(nodes[0].settle("a", "2").await.1, Computed);

    // As after a failover to a replica that had not heard of the last writes: value and marks are those of before.
    let () = redis::pipe()
        .atomic()
        .del(&marks)
        .cmd("HSET")
        .arg(&marks)
        .arg(&before)
        .pset_ex(&key[0], value, 100_000)
        .query_async(&mut connection)
        .await
        .unwrap();
    until("nobody serves the old value", async || {
        Node::open(&server.url(), &application).await.settle("a", "3").await.0 != "1"
    })
    .await;
    for node in &nodes {
        until("nobody serves the old value", async || node.settle("a", "3").await.0 != "1").await;
    }
}
