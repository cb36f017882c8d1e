//! Listening to what others invalidate, and what is trusted while nothing is heard.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::contract::{Event, SILENCE, Voided};
use crate::cache::entry::nanos;
use crate::cache::handle::{Cache, Inner};

/// After so long without an answer it is not known what others have invalidated.
const DEAF: Duration = Duration::from_secs(3);
/// So long what is in memory is served while that is not known.
const UNCONFIRMED: Duration = Duration::from_secs(5);
/// How long is waited before listening is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// How often levels are tended.
const TEND: Duration = Duration::from_secs(60);

/// When others were last heard.
pub(crate) struct Heard {
    /// In nanoseconds of the cache's clock.
    at: AtomicU64,
    first: watch::Sender<bool>,
}

impl Heard {
    pub(crate) fn new(now: Duration) -> Self {
        Self { at: AtomicU64::new(nanos(now)), first: watch::Sender::new(false) }
    }

    /// Returns whether what is in memory since some time may have been invalidated by others without our knowledge.
    pub(crate) fn doubts(&self, since: Duration, now: Duration) -> bool {
        let silent = nanos(now).saturating_sub(self.at.load(Relaxed));
        silent > nanos(DEAF) && now.saturating_sub(since) > UNCONFIRMED
    }

    /// Waits until others were heard for the first time.
    pub(crate) async fn first(&self) {
        _ = self.first.subscribe().wait_for(|heard| *heard).await;
    }

    fn now(&self, now: Duration) {
        self.at.store(nanos(now), Relaxed);
        self.first.send_if_modified(|first| !std::mem::replace(first, true));
    }
}

impl Cache {
    /// Listens to what others invalidate, where there are levels that are shared with them, and tends these,
    /// until the cache is gone. To be called once, within a runtime.
    pub fn follow(&self) {
        let (Some(level), Ok(runtime)) = (self.0.below.leading(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        runtime.spawn(listen(Arc::downgrade(&self.0), Arc::clone(level)));
        runtime.spawn(tend(Arc::downgrade(&self.0)));
    }

    /// Waits until others were heard for the first time, but not for long.
    pub async fn heard(&self) {
        if !self.0.below.is_empty() {
            _ = tokio::time::timeout(SILENCE, self.0.heard.first()).await;
        }
    }

    /// Does both of these.
    pub async fn open(&self) {
        self.follow();
        self.heard().await;
    }

    fn happened(&self, event: Event) {
        match event {
            Event::Voided(origin, _) if origin == self.0.below.origin() => {}
            Event::Voided(_, voided) => {
                self.0.below.overheard(&voided);
                self.void(&voided);
            }
            Event::Lost => {
                tracing::warn!("a level has lost what was written last: everything there is invalidated");
                self.0.below.lost();
                self.void(&Voided::All);
            }
            Event::Gap => {
                tracing::debug!("invalidations may have been missed: everything in memory is dropped");
                self.void(&Voided::All);
            }
        }
    }
}

async fn listen(cache: Weak<Inner>, level: Arc<dyn super::Level>) {
    let mut news = level.news();
    loop {
        let heard = tokio::time::timeout(SILENCE * 2, news.next()).await;
        let Some(inner) = cache.upgrade() else { return };
        let cache = Cache(inner);
        let is_heard = match heard {
            Ok(Ok(events)) => {
                events.into_iter().for_each(|event| cache.happened(event));
                cache.0.heard.now(cache.0.clock.now());
                true
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "the invalidations of others are not heard");
                false
            }
            Err(_) => {
                // What was under way may never answer.
                news = level.news();
                false
            }
        };
        // What was just heard, and what somebody invalidated outside of a runtime, who could not.
        cache.0.below.tell();
        drop(cache);
        if !is_heard {
            tokio::time::sleep(AGAIN).await;
        }
    }
}

async fn tend(cache: Weak<Inner>) {
    loop {
        let Some(inner) = cache.upgrade() else { return };
        let levels: Vec<_> = inner.below.levels().cloned().collect();
        drop(inner);
        for level in levels {
            if let Ok(Err(error)) = tokio::time::timeout(TEND, level.tend()).await {
                tracing::debug!(%error, "a level could not be tended");
            }
        }
        tokio::time::sleep(TEND).await;
    }
}
