//! Whatever happens to the level while 32 clients call: every call succeeds, none waits for long, and soon after
//! it is well again the level is used again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use tokio::time::Instant;

use crate::support::*;

const CLIENTS: usize = 32;
/// What a cache waits for a level at most, and what this machine adds while it does other things.
const DEADLINE: Duration = Duration::from_millis(250);
const NOISE: Duration = Duration::from_millis(150);
/// After so long at the latest the level is used again.
const BACK: Duration = Duration::from_millis(5_000);

/// Clients that call for new things all the time, so that each call asks below; every call must succeed.
struct Load {
    tasks: Vec<tokio::task::JoinHandle<Vec<(Instant, Duration)>>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Load {
    fn start(node: &Node) -> Self {
        let stop = tokio::sync::watch::Sender::new(false);
        let name = Arc::new(AtomicU64::new(0));
        let tasks = (0..CLIENTS).map(|_| {
            let (node, name, stop) = (node.clone(), Arc::clone(&name), stop.subscribe());
            tokio::spawn(async move {
                let mut calls = Vec::new();
                while !*stop.borrow() {
                    let name = name.fetch_add(1, SeqCst).to_string();
                    let begun = Instant::now();
                    let served = node.call(node.lookup(&name, policy()), good(&name)).await;
                    calls.push((begun, begun.elapsed()));
                    assert_eq!(text(&served), name);
                    tokio::time::sleep(millis(2)).await;
                }
                calls
            })
        });
        Self { tasks: tasks.collect(), stop }
    }

    async fn end(self) -> Vec<(Instant, Duration)> {
        self.stop.send_replace(true);
        let mut calls = Vec::new();
        for task in self.tasks {
            calls.extend(task.await.unwrap());
        }
        calls
    }
}

/// The times that a half, a hundredth and a thousandth of all are longer than: a machine that does other things
/// holds up a few for as long as it likes.
fn shares(mut times: Vec<Duration>) -> (Duration, Duration, Duration) {
    times.sort();
    let at = |share: usize| times.get(times.len() * share / 1_000).copied().unwrap_or_default();
    (at(500), at(990), at(999))
}

/// Breaks the level under load, waits until it is given up, and heals it.
async fn suffer(what: &str, url: &str, sound: &str, hurt: impl AsyncFnOnce(), heal: impl AsyncFnOnce()) {
    let application = application("p31");
    let node = Node::open(url, &application).await;
    let other = Node::open(sound, &application).await;
    node.settle("before", "1").await;
    let load = Load::start(&node);
    tokio::time::sleep(millis(300)).await;
    let hurts = Instant::now();
    hurt().await;
    until("it is given up", async || !node.cache.stats().levels[0].up).await;
    let given_up = Instant::now();
    tokio::time::sleep(millis(1_500)).await;
    let before = Instant::now();
    node.cache.invalidate_tag("name:before").await;
    let told = before.elapsed();
    heal().await;
    let healed = Instant::now();
    let back = until("it shares again", async || {
        let name = format!("back-{}", healed.elapsed().as_micros());
        let lookup = |node: &Node| node.lookup(&name, policy());
        _ = node.call(lookup(&node), good("here")).await;
        tokio::time::sleep(millis(5)).await;
        // The other asks Redis itself: neither memory nor this node's luck plays a part.
        let found = text(&other.call(lookup(&other), good("there")).await) == "here";
        let stats = &node.cache.stats().levels[0];
        found && stats.up && stats.pending == 0
    })
    .await;
    let calls = load.end().await;
    // Those that were under way when it was given up have begun before.
    let during = |from: Instant, to: Instant| {
        let within = calls.iter().filter(|(begun, took)| *begun >= from && *begun + *took < to);
        within.map(|(_, took)| *took).collect::<Vec<_>>()
    };
    let sound = shares(during(hurts - millis(200), hurts));
    let all = shares(calls.iter().map(|(_, took)| *took).collect());
    let open = shares(during(given_up + millis(20), healed));
    println!(
        "{what}: {} calls, sound {sound:?}, given up after {:?}, then {open:?}, all {all:?}, \
         invalidation {told:?}, back after {back:?}",
        calls.len(),
        given_up - hurts,
    );
    assert!(all.2 < DEADLINE + NOISE, "{what}: calls took {:?}", all.2);
    assert!(open.0 < sound.0 + millis(10), "{what}: {:?}, ten times what is promised", open.0);
    assert!(told < NOISE, "{what}: an invalidation waited for {told:?}");
    assert!(back < BACK, "{what}: it took {back:?}");
    node.cache.idle().await;
    let stats = node.cache.stats();
    assert_eq!(stats.flights, 0);
    assert_eq!(node.settle("before", "2").await.0, "2", "{what}: what was invalidated meanwhile");
    other.cache.idle().await;
}

async fn proxied(mode: Mode) {
    let proxy = Proxy::to_redis().await;
    let (url, sound) = (proxy.url(), redis_url());
    let what = format!("{mode:?}");
    suffer(&what, &url, &sound, async || proxy.set(mode), async || proxy.set(Mode::Pass)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p31_connections_that_are_refused() {
    proxied(Mode::Refuse).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p31_connections_that_are_reset() {
    proxied(Mode::Reset).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p31_a_black_hole() {
    proxied(Mode::BlackHole).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p31_connections_that_were_forgotten_on_the_way() {
    proxied(Mode::HalfOpen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p31_answers_after_five_seconds() {
    proxied(Mode::Delay(5 * SECOND)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p31_a_redis_that_stands_still() {
    let Some(server) = Server::start("p31").await else { return };
    let url = server.url();
    suffer("SIGSTOP", &url, &url, async || server.signal("STOP"), async || server.signal("CONT")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p31_a_redis_that_is_killed() {
    let Some(server) = Server::start("p31").await else { return };
    let url = server.url();
    let server = std::cell::RefCell::new(server);
    #[expect(clippy::await_holding_refcell_ref, reason = "one after the other")]
    suffer(
        "SIGKILL",
        &url,
        &url,
        async || server.borrow_mut().kill(),
        async || {
            server.borrow_mut().restart().await;
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p31_a_redis_that_became_a_replica() {
    let Some(server) = Server::start("p31").await else { return };
    let url = server.url();
    let (hurt, heal) = (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]);
    suffer("READONLY", &url, &url, async || server.query(&hurt).await, async || server.query(&heal).await)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p31_a_redis_that_is_full() {
    let Some(server) = Server::start("p31").await else { return };
    let url = server.url();
    let set = async |bytes: &str| server.query::<()>(&["CONFIG", "SET", "maxmemory", bytes]).await;
    suffer("OOM", &url, &url, async || set("1").await, async || set("0").await).await;
}

#[tokio::test]
async fn p31_a_full_redis_still_takes_and_spreads_invalidations() {
    let Some(server) = Server::start("p31").await else { return };
    let application = application("p31");
    let nodes = Node::many(2, &server.url(), &application).await;
    for node in &nodes {
        assert_eq!(node.settle("a", "1").await.0, "1");
    }
    server.query::<()>(&["CONFIG", "SET", "maxmemory", "1"]).await;
    // Results that cannot be stored keep nobody from invalidating.
    let full = || nodes[0].cache.stats().levels[0].clone();
    until("storing is given up", async || {
        nodes[0].settle(&full().failures.to_string(), "1").await;
        !full().up
    })
    .await;
    nodes[0].cache.invalidate_tag("name:a").await;
    assert_eq!(full().pending, 0, "it was told before this returned");
    until("the other has heard", async || nodes[1].settle("a", "2").await.0 == "2").await;
    assert_eq!(nodes[0].cache.stats().levels[0].pending, 0);
    assert_eq!(nodes[0].settle("a", "3").await.0, "3", "and nothing old is read");
}

#[tokio::test]
async fn p31_scripts_that_redis_has_forgotten_are_sent_again() {
    let Some(server) = Server::start("p31").await else { return };
    let application = application("p31");
    let nodes = Node::many(2, &server.url(), &application).await;
    for round in 0..5 {
        server.query::<()>(&["SCRIPT", "FLUSH"]).await;
        let name = round.to_string();
        nodes[0].settle(&name, "1").await;
        assert_eq!(nodes[1].settle(&name, "2").await.0, "1");
        server.query::<()>(&["SCRIPT", "FLUSH"]).await;
        nodes[0].cache.invalidate_tag(&format!("name:{name}")).await;
        until("the other has heard", async || nodes[1].settle(&name, "3").await.0 == "3").await;
    }
    for node in &nodes {
        assert_eq!(node.cache.stats().levels[0].failures, 0);
    }
}
