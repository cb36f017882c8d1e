//! Who is cut off from the news of others notices, and trusts nothing for long that it has not heard about.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use mcp_core::cache::level::{Event, Origin, Voided};
use mcp_core::cache::{Invalidated, TagId};
use mcp_core::policy::Levels;
use tokio::time::Instant;

use crate::support::*;

/// What is in memory is served so long while nothing is heard; half a second is for this machine.
const AGREED: Duration = Duration::from_millis(5_500);

/// How often a node dropped everything.
fn drops(node: &Node) -> Arc<AtomicU64> {
    let drops = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&drops);
    node.cache.on_invalidate(Arc::new(move |what| {
        if what == Invalidated::All {
            count.fetch_add(1, SeqCst);
        }
    }));
    drops
}

/// Cuts one of two nodes off, changes something, and heals the cut after that node has noticed.
async fn cut_off(mode: Mode) {
    let (url, application) = (redis_url(), application("p26"));
    let proxy = Proxy::to_redis().await;
    let near = Node::open(&url, &application).await;
    let far = Node::open(&proxy.url(), &application).await;
    assert_eq!(far.settle("a", "1").await.0, "1");
    _ = far.call(far.lookup("own", policy().levels(Levels::Memory)), good("1")).await;
    proxy.set(mode);
    let begun = Instant::now();
    near.cache.invalidate_tag("name:a").await;
    assert_eq!(near.settle("a", "2").await.0, "2");
    let mut served_old = Duration::ZERO;
    loop {
        let at = begun.elapsed();
        let (result, _) = far.settle("a", "2").await;
        if result == "2" {
            break;
        }
        served_old = at;
        assert!(at < AGREED, "{mode:?}: the old value after {at:?}");
        tokio::time::sleep(millis(20)).await;
    }
    println!("{mode:?}: the old value was served for {served_old:?}");
    let own = far.call(far.lookup("own", policy().levels(Levels::Memory)), good("2")).await;
    assert_eq!(text(&own), "1", "what nobody else can invalidate stays");

    // A second change while it is cut off, and what it computes itself is of now.
    near.cache.invalidate_tag("name:a").await;
    assert_eq!(near.settle("a", "3").await.0, "3");
    proxy.set(Mode::Pass);
    let healed = Instant::now();
    until("it has what is new", async || far.settle("a", "3").await.0 == "3").await;
    println!("{mode:?}: {:?} after the heal it has what is new", healed.elapsed());
    assert!(healed.elapsed() < AGREED);
    // It shares again, both ways.
    until("what it makes is shared", async || {
        let name = healed.elapsed().as_micros().to_string();
        far.settle(&name, "far").await;
        near.settle(&name, "near").await.0 == "far"
    })
    .await;
    println!("{mode:?}: {:?} after the heal it shares", healed.elapsed());
    assert!(healed.elapsed() < AGREED, "it shared after {:?}", healed.elapsed());
}

#[tokio::test]
async fn p26_a_node_in_a_black_hole_serves_what_it_has_for_five_seconds_and_nothing_stale_after_the_heal() {
    cut_off(Mode::BlackHole).await;
}

#[tokio::test]
async fn p28_deaf_connections_are_noticed_and_given_up() {
    cut_off(Mode::HalfOpen).await;
}

#[tokio::test]
async fn p27_what_was_missed_is_replayed() {
    let (url, application) = (redis_url(), application("p27"));
    let proxy = Proxy::to_redis().await;
    let near = Node::open(&url, &application).await;
    let far = Node::open(&proxy.url(), &application).await;
    for name in ["a", "b"] {
        far.settle(name, "1").await;
    }
    let drops = drops(&far);
    for mode in [Mode::Reset, Mode::Refuse] {
        proxy.set(mode);
        // A stream of some length.
        for number in 0..1_200 {
            near.cache.invalidate_tag(&format!("name:{number}")).await;
        }
        near.cache.invalidate_tag("name:a").await;
        proxy.set(Mode::Pass);
        until("it has heard", async || {
            far.cache.entry(&far.lookup("a", policy()).key).is_none_or(|entry| !entry.valid)
        })
        .await;
        let kept = far.cache.entry(&far.lookup("b", policy()).key).unwrap();
        assert!(kept.valid, "{mode:?}: what was not invalidated stays");
        assert_eq!(drops.load(SeqCst), 0, "{mode:?}");
        until("it shares again", async || {
            far.settle("a", "1").await.1 != mcp_core::cache::CacheOutcome::Computed
        })
        .await;
    }
}

/// Cuts a node off, lets something happen to Redis, and waits until it dropped everything.
async fn all_dropped(url: &str, address: Option<&str>, happen: impl AsyncFnOnce(&str)) {
    let application = application("p27");
    let proxy = match address {
        Some(address) => Proxy::to(address).await,
        None => Proxy::to_redis().await,
    };
    let far = Node::open(&proxy.url(), &application).await;
    far.settle("a", "1").await;
    let near = Node::open(url, &application).await;
    near.cache.invalidate_tag("name:other").await;
    let heard = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&heard);
    far.cache.on_invalidate(Arc::new(move |_| _ = count.fetch_add(1, SeqCst)));
    near.cache.invalidate_tag("name:another").await;
    until("it listens", async || heard.load(SeqCst) > 0).await;
    let drops = drops(&far);
    proxy.set(Mode::Refuse);
    happen(&application).await;
    proxy.set(Mode::Pass);
    let noticed = until("everything is dropped", async || drops.load(SeqCst) > 0).await;
    println!("noticed after {noticed:?}");
    tokio::time::sleep(millis(2_200)).await;
    assert_eq!(drops.load(SeqCst), 1, "once");
}

#[tokio::test]
async fn p27_more_than_is_kept_drops_everything() {
    let url = redis_url();
    let other = url.clone();
    all_dropped(&url, None, async move |application| {
        let level = level(&other, application);
        for batch in 0..60 {
            let told = (0..200).map(|tag| {
                let voided = Voided::Tags(vec![TagId::tag(&format!("{batch}-{tag}"))]);
                let level = Arc::clone(&level);
                tokio::spawn(async move { level.invalidate(&voided, Origin(1)).await })
            });
            for told in told.collect::<Vec<_>>() {
                told.await.unwrap().unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn p27_news_that_are_gone_drop_everything() {
    let url = redis_url();
    let other = url.clone();
    all_dropped(&url, None, async move |application| {
        let news = format!("mcp:{{{application}}}:news");
        level(&other, application).invalidate(&Voided::Tags(vec![TagId::tag("x")]), Origin(1)).await.unwrap();
        query::<i64>(&other, &["DEL", &news]).await;
    })
    .await;
}

#[tokio::test]
async fn p27_a_redis_that_was_emptied_drops_everything() {
    let Some(server) = Server::start("p27").await else { return };
    let address = format!("127.0.0.1:{}", server.port());
    all_dropped(&server.url(), Some(&address), async |_| server.query::<()>(&["FLUSHALL"]).await).await;
}

#[tokio::test]
async fn p27_a_redis_that_started_again_empty_drops_everything() {
    let Some(mut server) = Server::start("p27").await else { return };
    let address = format!("127.0.0.1:{}", server.port());
    let url = server.url();
    all_dropped(&url, Some(&address), async |_| {
        server.kill();
        server.restart().await;
    })
    .await;
}

#[tokio::test]
async fn news_that_make_no_sense_drop_everything_once() {
    let (url, application) = (redis_url(), application("noise"));
    let node = Node::open(&url, &application).await;
    node.settle("a", "1").await;
    let drops = drops(&node);
    let news = format!("mcp:{{{application}}}:news");
    query::<String>(&url, &["XADD", &news, "*", "what", "noise"]).await;
    until("everything is dropped", async || drops.load(SeqCst) > 0).await;
    tokio::time::sleep(millis(300)).await;
    assert_eq!(drops.load(SeqCst), 1);
    let other = Node::open(&url, &application).await;
    node.settle("a", "2").await;
    other.cache.invalidate_tag("name:a").await;
    until("it still listens", async || node.settle("a", "3").await.0 == "3").await;
}

#[tokio::test]
async fn p26_news_have_all_that_was_missed_before_anything_is_trusted_again() {
    let level = level(&redis_url(), &application("whole"));
    let mut news = level.news();
    assert_eq!(news.next().await.unwrap(), [Event::Gap]);
    let missed: Vec<_> = (0..1_200).map(|tag| Voided::Tags(vec![TagId::tag(&tag.to_string())])).collect();
    for voided in &missed {
        level.invalidate(voided, Origin(1)).await.unwrap();
    }
    let heard = news.next().await.unwrap();
    let events = missed.into_iter().map(|voided| Event::Voided(Origin(1), voided));
    assert!(heard.into_iter().eq(events), "one answer, nothing left out, in order");
}
