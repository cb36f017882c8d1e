//! The look below: it depends on no caller, and on no level.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use mcp_core::Failure;
use mcp_core::cache::level::{Answer, Holds, Level, News, Origin, Read, Tier, Voided, Write};
use mcp_core::cache::{CacheOutcome::Memory, Key, TagId};

use crate::support::*;

/// A node over a level that takes 10 to 20 ms to answer.
async fn node(shelf: &Shelf) -> Node {
    let faults = Faults { delay: millis(5)..millis(10), ..Faults::default() };
    Node::on(Arc::new(Chaos::new(shelf.clone(), 1, faults)), |_| {}).await
}

/// A call whose function takes 10 ms.
async fn call(node: Node) -> String {
    let function = || async {
        tokio::time::sleep(millis(10)).await;
        good("value")
    };
    text(&node.call_with(node.lookup("a", policy()), function).await)
}

#[tokio::test(start_paused = true)]
async fn p11_a_caller_that_leaves_at_any_time_of_its_look_takes_nothing_along() {
    for leaves_after in 0..40 {
        for joins_after in [None, Some(0), Some(leaves_after / 2), Some(leaves_after)] {
            for is_below in [false, true] {
                let shelf = Shelf::default();
                if is_below {
                    Node::on(Arc::new(shelf.clone()), |_| {}).await.settle("a", "value").await;
                }
                let node = node(&shelf).await;
                let leader = tokio::spawn(tokio::time::timeout(millis(leaves_after), call(node.clone())));
                let follower = joins_after.map(|after| {
                    let node = node.clone();
                    tokio::spawn(async move {
                        tokio::time::sleep(millis(after)).await;
                        call(node).await
                    })
                });
                if let Some(follower) = follower {
                    assert_eq!(follower.await.unwrap(), "value", "left after {leaves_after} ms");
                }
                _ = leader.await.unwrap();
                node.cache.idle().await;
                assert_eq!(node.runs(), u64::from(!is_below), "left after {leaves_after} ms");
                let kept = node.call(node.lookup("a", policy()), good("x")).await;
                assert_eq!(seen(&kept), ("value".to_owned(), Memory), "left after {leaves_after} ms");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn p11_nobody_waits_for_a_caller_that_does_not_go_on() {
    for naps in 0..40 {
        let node = node(&Shelf::default()).await;
        let mut leader = pin!(call(node.clone()));
        let is_over = poll_fn(|cx| Poll::Ready(leader.as_mut().poll(cx).is_ready())).await;
        assert!(!is_over);
        tokio::time::sleep(millis(naps)).await;
        let follower = tokio::time::timeout(SECOND, call(node.clone())).await;
        assert_eq!(follower.unwrap(), "value");
        tokio::time::timeout(SECOND, leader).await.unwrap();
        assert_eq!(node.runs(), 1);
    }
    let node = node(&Shelf::default()).await;
    let mut leader = pin!(call(node.clone()));
    poll_fn(|cx| Poll::Ready(leader.as_mut().poll(cx).is_ready())).await;
    assert!(node.cache.drain(SECOND).await, "the end of a server does not wait for it either");
    assert_eq!(leader.await, "value");
}

/// A level that panics when it is read.
struct Broken(Shelf);

impl Level for Broken {
    fn tier(&self) -> Tier {
        self.0.tier()
    }

    fn read<'a>(&'a self, _: &'a Key, _: &'a [TagId]) -> Answer<'a, Read> {
        Box::pin(async { panic!("on purpose") })
    }

    fn write<'a>(&'a self, write: Write<'a>) -> Answer<'a, bool> {
        self.0.write(write)
    }

    fn invalidate<'a>(&'a self, voided: &'a Voided, origin: Origin) -> Answer<'a, ()> {
        self.0.invalidate(voided, origin)
    }

    fn discard<'a>(&'a self, key: &'a Key, value: &'a [u8]) -> Answer<'a, ()> {
        self.0.discard(key, value)
    }

    fn news(&self) -> Box<dyn News> {
        self.0.news()
    }

    fn holds(&self) -> Answer<'_, Holds> {
        self.0.holds()
    }
}

#[tokio::test]
async fn a_level_that_panics_ends_its_flight_and_nothing_else() {
    let node = Node::on(Arc::new(Broken(Shelf::default())), |_| {}).await;
    let served = node.call(node.lookup("a", policy()), good("x")).await;
    assert!(matches!(served.result, Err(Failure::Cancelled)), "{served:?}");
    assert_eq!(node.cache.flights(), 0);
}
