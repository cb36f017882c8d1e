//! After an invalidation returns, no later call sees anything older. In every order of events.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_core::Failure;
use mcp_core::cache::CacheOutcome::{Coalesced, Computed, Memory, Stale};
use mcp_core::cache::{Cache, Invalidated, Loaded, Served, TagId};
use mcp_core::policy::CachePolicy;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::*;

/// One call whose function stops before it reads the origin and before it returns.
struct Load {
    read: Option<oneshot::Sender<()>>,
    finish: Option<oneshot::Sender<()>>,
    /// The version that was there when the last invalidation before this call returned.
    at_least: u64,
    call: JoinHandle<Served>,
}

impl Load {
    fn start(bench: &Bench, origin: &Arc<AtomicU64>, policy: CachePolicy, at_least: u64) -> Self {
        let (read, may_read) = oneshot::channel();
        let (finish, may_finish) = oneshot::channel();
        let (bench, origin) = (bench.clone(), Arc::clone(origin));
        let function = move || async move {
            _ = may_read.await;
            let version = origin.load(SeqCst);
            _ = may_finish.await;
            good(version)
        };
        let call = tokio::spawn(async move { bench.call_with(lookup("a", policy), function).await });
        Self { read: Some(read), finish: Some(finish), at_least, call }
    }

    async fn check(self, order: &str) {
        let served = self.call.await.unwrap();
        let version: u64 = seen(&served).0.parse().unwrap();
        let at_least = self.at_least;
        assert!(version >= at_least, "version {version} after the invalidation of {at_least} in {order}");
    }
}

#[derive(Clone, Copy, Debug)]
enum What {
    Key,
    Tag,
    All,
}

impl What {
    async fn invalidate(self, cache: &Cache) {
        match self {
            Self::Key => cache.invalidate(&[TagId::tag("name:a")]),
            Self::Tag => cache.invalidate_tag("everything").await,
            Self::All => cache.clear().await,
        }
    }
}

/// All orders in which actors can take their steps, as lists of actors.
fn orders(steps: &mut Vec<usize>, order: &mut String, run: &mut Vec<String>) {
    if steps.iter().all(|&left| left == 0) {
        run.push(order.clone());
    }
    for actor in 0..steps.len() {
        if steps[actor] > 0 {
            steps[actor] -= 1;
            order.push(char::from(b'A' + actor as u8));
            orders(steps, order, run);
            order.pop();
            steps[actor] += 1;
        }
    }
}

/// Plays one order: `A` and `B` are loads (start, read, finish), `C` changes the origin and then
/// invalidates.
async fn play(order: &str, what: What, primed: bool) {
    let bench = Bench::new();
    let origin = Arc::new(AtomicU64::new(0));
    let policy = policy().stale_ms(50_000).stale_if_error_ms(300_000);
    if primed {
        // Past its ttl, so that the first load starts a refresh in the background.
        bench.cache.prime(&lookup("a", policy), body(0));
        bench.clock.advance(100 * SECOND);
    }
    let mut invalidated = 0;
    let mut loads: [Option<Load>; 2] = [None, None];
    let mut writes = 0;
    for actor in order.bytes() {
        match actor {
            b'C' => {
                writes += 1;
                if writes % 2 == 1 {
                    origin.fetch_add(1, SeqCst);
                } else {
                    what.invalidate(&bench.cache).await;
                    invalidated = origin.load(SeqCst);
                }
            }
            load => match &mut loads[usize::from(load - b'A')] {
                none @ None => *none = Some(Load::start(&bench, &origin, policy, invalidated)),
                Some(load) => {
                    let gate = load.read.take().or_else(|| load.finish.take()).expect("three steps");
                    // Nobody waits at it where the call joined another.
                    _ = gate.send(());
                }
            },
        }
        settle().await;
    }
    let order = format!("{order} ({what:?}, primed: {primed})");
    for load in loads.into_iter().flatten() {
        load.check(&order).await;
    }
    bench.cache.idle().await;
    let mut last = Load::start(&bench, &origin, policy, invalidated);
    last.read.take();
    last.finish.take();
    last.check(&order).await;
    assert_eq!(bench.cache.stats().flights, 0, "{order}");
}

#[tokio::test]
async fn p22_no_order_of_two_loads_and_two_invalidations_serves_an_older_version() {
    let mut all = Vec::new();
    orders(&mut vec![3, 3, 4], &mut String::new(), &mut all);
    assert_eq!(all.len(), 4_200);
    for order in all {
        play(&order, What::Tag, false).await;
    }
}

#[tokio::test]
async fn p22_no_order_of_two_loads_and_an_invalidation_of_any_kind_serves_an_older_version() {
    let mut all = Vec::new();
    orders(&mut vec![3, 3, 2], &mut String::new(), &mut all);
    assert_eq!(all.len(), 560);
    for order in all {
        for what in [What::Key, What::Tag, What::All] {
            play(&order, what, false).await;
        }
    }
}

#[tokio::test]
async fn p23_nor_does_any_order_in_which_a_load_is_a_background_refresh() {
    let mut all = Vec::new();
    orders(&mut vec![3, 3, 2], &mut String::new(), &mut all);
    for order in all {
        for what in [What::Key, What::Tag, What::All] {
            play(&order, what, true).await;
        }
    }
}

#[tokio::test]
async fn p23_a_refresh_that_began_before_an_invalidation_is_not_kept() {
    let bench = Bench::new();
    let policy = policy().stale_ms(50_000);
    let origin = Arc::new(AtomicU64::new(1));
    bench.cache.prime(&lookup("a", policy), body("old"));
    bench.clock.advance(100 * SECOND);
    let mut refresh = Load::start(&bench, &origin, policy, 0);
    settle().await;
    refresh.read.take();
    settle().await;
    bench.cache.invalidate_tag("everything").await;
    refresh.finish.take();
    bench.cache.idle().await;
    assert_seen(&refresh.call.await.unwrap(), "old", Stale);
    assert_seen(&bench.call(lookup("a", policy), good("new")).await, "new", Computed);
    assert_eq!(bench.cache.stats().outdated, 1);
}

#[tokio::test]
async fn p24_a_caller_after_an_invalidation_never_joins_an_earlier_flight() {
    let bench = Bench::new();
    let origin = Arc::new(AtomicU64::new(1));
    let mut first = Load::start(&bench, &origin, policy(), 0);
    settle().await;
    let waiter = Load::start(&bench, &origin, policy(), 0);
    settle().await;
    bench.cache.invalidate_tag("name:a").await;
    let mut second = Load::start(&bench, &origin, policy(), 0);
    settle().await;
    assert_eq!(bench.runs(), 2);
    assert_eq!(bench.cache.stats().flights, 2);
    first.read.take();
    settle().await;
    origin.store(2, SeqCst);
    second.read.take();
    second.finish.take();
    // The later flight lands first: the earlier one takes nothing from it, not even its place.
    assert_seen(&second.call.await.unwrap(), "2", Computed);
    first.finish.take();
    let served = first.call.await.unwrap();
    assert_seen(&served, "1", Computed);
    assert_eq!(served.fresh_for, Duration::ZERO, "what was invalidated is not fresh");
    assert_seen(&waiter.call.await.unwrap(), "1", Coalesced);
    assert_seen(&bench.call(lookup("a", policy()), good("x")).await, "2", Memory);
    assert_eq!(bench.cache.stats().flights, 0);
}

#[tokio::test]
async fn p24_an_earlier_flight_that_lands_leaves_the_later_one_its_place() {
    let bench = Bench::new();
    let origin = Arc::new(AtomicU64::new(1));
    let mut first = Load::start(&bench, &origin, policy(), 0);
    settle().await;
    bench.cache.invalidate_tag("name:a").await;
    let mut second = Load::start(&bench, &origin, policy(), 0);
    settle().await;
    first.read.take();
    first.finish.take();
    assert_seen(&first.call.await.unwrap(), "1", Computed);
    let mut third = Load::start(&bench, &origin, policy(), 0);
    settle().await;
    third.read.take();
    third.finish.take();
    settle().await;
    origin.store(2, SeqCst);
    second.read.take();
    second.finish.take();
    assert_seen(&second.call.await.unwrap(), "2", Computed);
    assert_seen(&third.call.await.unwrap(), "2", Coalesced);
    assert_eq!(bench.runs(), 2);
}

#[tokio::test]
async fn p25_an_invalidation_costs_its_tags_and_touches_nothing_else() {
    let bench = Bench::with(|options| options.memory_bytes = 100 << 20);
    for number in 0..30_000 {
        bench.cache.prime(&lookup(&number.to_string(), policy()), body("x"));
    }
    let untagged =
        |name| mcp_core::cache::Lookup { tags: [TagId::tag("other")].into(), ..lookup(name, policy()) };
    bench.cache.prime(&untagged("bystander"), body("x"));
    let before = bench.cache.stats();
    bench.cache.invalidate_tag("everything").await;
    let after = bench.cache.stats();
    assert_eq!((after.invalidations, after.entries), (1, before.entries), "nothing was searched or deleted");
    for number in 0..100 {
        let info = bench.cache.entry(&key(&number.to_string())).unwrap();
        assert!(!info.valid);
    }
    assert_seen(&bench.call(untagged("bystander"), good("y")).await, "x", Memory);
    assert_seen(&bench.call(lookup("7", policy()), good("y")).await, "y", Computed);
    assert_seen(&bench.call(lookup("7", policy()), good("z")).await, "y", Memory);
}

#[tokio::test]
async fn clear_frees_everything_and_later_results_are_kept() {
    let bench = Bench::new();
    for number in 0..100 {
        bench.cache.prime(&lookup(&number.to_string(), policy()), body("x"));
    }
    assert_eq!(bench.cache.stats().entries, 100);
    bench.cache.clear().await;
    let stats = bench.cache.stats();
    assert_eq!((stats.entries, stats.bytes), (0, 0));
    assert_seen(&bench.call(lookup("1", policy()), good("y")).await, "y", Computed);
    assert_seen(&bench.call(lookup("1", policy()), good("z")).await, "y", Memory);
}

#[tokio::test]
async fn observers_hear_of_invalidations_after_they_took_effect_and_cannot_break_them() {
    let bench = Bench::new();
    bench.cache.on_invalidate(Arc::new(|_| panic!("on purpose")));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (notes, cache) = (Arc::clone(&heard), bench.cache.clone());
    bench.cache.on_invalidate(Arc::new(move |what| {
        let valid = cache.entry(&key("a")).is_some_and(|entry| entry.valid);
        let what = match what {
            Invalidated::Tags(tags) => tags.to_vec(),
            Invalidated::All => Vec::new(),
        };
        notes.lock().unwrap().push((what, valid));
    }));
    bench.cache.prime(&lookup("a", policy()), body("x"));
    bench.cache.invalidate_tag("everything").await;
    bench.cache.invalidate_resource("test://a").await;
    bench.cache.invalidate(&[]);
    bench.cache.clear().await;
    let tag = |id| (vec![id], false);
    let expected = vec![tag(TagId::tag("everything")), tag(TagId::resource("test://a")), (Vec::new(), false)];
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p22_threads_that_load_and_invalidate_at_once_never_see_an_older_version() {
    let bench = Bench::new();
    let origin = Arc::new(AtomicU64::new(0));
    let invalidated = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for worker in 0..4 {
        let (bench, origin, invalidated) = (bench.clone(), Arc::clone(&origin), Arc::clone(&invalidated));
        tasks.push(tokio::spawn(async move {
            for round in 0..3_000 {
                if worker == 0 && round % 3 == 0 {
                    let version = origin.fetch_add(1, SeqCst) + 1;
                    bench.cache.invalidate_tag("everything").await;
                    invalidated.fetch_max(version, SeqCst);
                }
                let at_least = invalidated.load(SeqCst);
                let origin = Arc::clone(&origin);
                let function = move || async move {
                    let version = origin.load(SeqCst);
                    tokio::task::yield_now().await;
                    Ok::<_, Failure>(Loaded { body: body(version), store: true, failed: false, own: false })
                };
                let served = bench.call_with(lookup("a", policy()), function).await;
                let version: u64 = seen(&served).0.parse().unwrap();
                assert!(version >= at_least, "{version} after {at_least}");
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}
