//! One of many processes computes a value that all of them want.

use std::sync::Arc;
use std::time::Duration;

use super::below::{Below, Look};
use super::guarded::Guarded;
use crate::cache::key::Key;
use crate::cache::lookup::Lookup;

/// How long others leave the work to the holder of a lease, should it never come back.
const LEASE: Duration = Duration::from_secs(10);
/// How long is waited for the holder's result.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How often is looked for it, at first and at last.
const FIRST: Duration = Duration::from_millis(5);
const LAST: Duration = Duration::from_millis(80);

/// The right to compute a value, until this is dropped.
pub(crate) struct Lease {
    guarded: Arc<Guarded>,
    key: Key,
    holder: u64,
}

impl Below {
    /// Waits until this process is to compute a value, or somebody else has: then that is found.
    ///
    /// Without a level that answers, and after a while, it is to be computed here whatever others do.
    pub(crate) async fn lease(&self, lookup: &Lookup, mut look: Look) -> (Look, Option<Lease>) {
        let Some(guarded) = self.levels.first().filter(|_| self.leases && look.has_first()) else {
            return (look, None);
        };
        let time = lookup.timeout.map_or(LEASE, |timeout| timeout.min(LEASE));
        let until = tokio::time::Instant::now() + PATIENCE.min(time);
        let mut pause = FIRST;
        let holder = self.next_holder();
        while !guarded.lease(&lookup.key, holder, time).await {
            if tokio::time::Instant::now() >= until {
                return (look, None);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST);
            look = self.look(lookup, None).await;
            if look.serves() || !look.has_first() {
                return (look, None);
            }
        }
        let lease = Lease { guarded: Arc::clone(guarded), key: lookup.key, holder };
        // Whoever had it before may have stored since the look.
        (self.look(lookup, None).await, Some(lease))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (guarded, key, holder) = (Arc::clone(&self.guarded), self.key, self.holder);
        runtime.spawn(async move { guarded.release(&key, holder).await });
    }
}
