//! A shared level above a database: what is invalid below must not come up again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use mcp_core::cache::CacheOutcome::{Computed, Database, Shared};
use mcp_core::cache::level::{Answer, Holds, Level, LevelError, News, Origin, Read, Tier, Voided, Write};
use mcp_core::cache::{CacheOptions, Key, TagId};
use tokio::sync::Semaphore;

use crate::support::*;

/// A level in memory, whose invalidations can be held up and made to fail.
struct Gated {
    shelf: Shelf,
    tier: Tier,
    asked: AtomicUsize,
    open: Semaphore,
    failing: AtomicBool,
}

impl Gated {
    fn new(shelf: &Shelf, tier: Tier, is_open: bool) -> Arc<Self> {
        let open = Semaphore::new(if is_open { Semaphore::MAX_PERMITS } else { 0 });
        let (asked, failing) = (AtomicUsize::new(0), AtomicBool::new(false));
        Arc::new(Self { shelf: shelf.clone(), tier, asked, open, failing })
    }

    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

impl Level for Gated {
    fn tier(&self) -> Tier {
        self.tier
    }

    fn read<'a>(&'a self, key: &'a Key, tags: &'a [TagId]) -> Answer<'a, Read> {
        self.shelf.read(key, tags)
    }

    fn write<'a>(&'a self, write: Write<'a>) -> Answer<'a, bool> {
        self.shelf.write(write)
    }

    fn invalidate<'a>(&'a self, voided: &'a Voided, origin: Origin) -> Answer<'a, ()> {
        Box::pin(async move {
            self.asked.fetch_add(1, SeqCst);
            if self.failing.load(SeqCst) {
                return Err(LevelError::new("as it was told to"));
            }
            self.open.acquire().await.unwrap().forget();
            self.shelf.invalidate(voided, origin).await
        })
    }

    fn discard<'a>(&'a self, key: &'a Key, value: &'a [u8]) -> Answer<'a, ()> {
        self.shelf.discard(key, value)
    }

    fn news(&self) -> Box<dyn News> {
        self.shelf.news()
    }

    fn holds(&self) -> Answer<'_, Holds> {
        self.shelf.holds()
    }
}

async fn node(above: &Arc<Gated>, below: &Arc<Gated>) -> Node {
    patient_node(above, below, SECOND).await
}

async fn patient_node(above: &Arc<Gated>, below: &Arc<Gated>, level_deadline: Duration) -> Node {
    let below = Arc::clone(below);
    let change = move |options: &mut CacheOptions| {
        options.levels.push(below);
        options.level_deadline = level_deadline;
    };
    Node::on(Arc::clone(above) as Arc<dyn Level>, change).await
}

#[tokio::test]
async fn a_result_goes_to_both_levels_and_comes_up_from_the_lower() {
    let (shared, database) = (Shelf::default(), Shelf::default());
    let below = Gated::new(&database, Tier::Database, true);
    let first = node(&Gated::new(&shared, Tier::Shared, true), &below).await;
    assert_eq!(first.settle("a", "1").await.1, Computed);
    // The shared level starts again, empty.
    let above = Gated::new(&Shelf::default(), Tier::Shared, true);
    let (second, third) = (node(&above, &below).await, node(&above, &below).await);
    assert_eq!(second.settle("a", "2").await, ("1".to_owned(), Database));
    assert_eq!(third.settle("a", "2").await, ("1".to_owned(), Shared));
}

#[tokio::test]
async fn the_lower_level_hears_of_an_invalidation_before_the_upper() {
    let above = Gated::new(&Shelf::default(), Tier::Shared, true);
    let below = Gated::new(&Shelf::default(), Tier::Database, false);
    let node = patient_node(&above, &below, PATIENCE).await;
    let invalidating = {
        let node = node.clone();
        tokio::spawn(async move { node.cache.invalidate_tag("name:a").await })
    };
    until("the lower level is asked", async || below.asked() == 1).await;
    assert_eq!(above.asked(), 0);
    below.open.add_permits(1);
    invalidating.await.unwrap();
    assert_eq!((above.asked(), below.asked()), (1, 1));
}

#[tokio::test]
async fn what_a_node_could_not_tell_the_lower_level_no_other_brings_up() {
    let (shared, database) = (Shelf::default(), Shelf::default());
    let here_below = Gated::new(&database, Tier::Database, true);
    let here = node(&Gated::new(&shared, Tier::Shared, true), &here_below).await;
    let there_below = Gated::new(&database, Tier::Database, false);
    let there = node(&Gated::new(&shared, Tier::Shared, true), &there_below).await;
    assert_eq!(here.settle("a", "1").await.1, Computed);

    here_below.failing.store(true, SeqCst);
    let before = there.cache.stats().invalidations;
    let invalidating = {
        let here = here.clone();
        tokio::spawn(async move { here.cache.invalidate_tag("name:a").await })
    };
    until("the other hears of it", async || there.cache.stats().invalidations > before).await;
    // Neither of them has told the database, which still has the old value.
    assert_eq!(there.settle("a", "2").await, ("2".to_owned(), Computed));
    assert_eq!(here.settle("a", "3").await, ("2".to_owned(), Shared));
    here_below.failing.store(false, SeqCst);
    there_below.open.add_permits(1);
    invalidating.await.unwrap();
}
