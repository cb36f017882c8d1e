//! What a call makes invalid.

use std::sync::atomic::{AtomicBool, Ordering};

use mcp_core::cache::{Cache, TagId};
use mcp_core::component::Tags;

/// What a call makes invalid when it succeeds, or when it is cut off and may have.
pub(crate) struct Invalidates {
    cache: Cache,
    tags: Vec<TagId>,
    pending: AtomicBool,
}

impl Invalidates {
    pub(crate) fn new(cache: Cache, tags: Tags) -> Self {
        Self { tags: tags.resolve(&cache), cache, pending: AtomicBool::new(false) }
    }

    /// From here on the function may have done something.
    pub(crate) fn begin(&self) {
        self.pending.store(true, Ordering::Release);
    }

    /// The function says that it has done nothing.
    pub(crate) fn nothing_done(&self) {
        self.pending.store(false, Ordering::Release);
    }

    /// The function has done what it was called for: waits until all who share results know.
    pub(crate) async fn done(&self) {
        if self.pending.swap(false, Ordering::AcqRel) && !self.tags.is_empty() {
            // Apart: most calls invalidate nothing, and their future is to stay small.
            Box::pin(self.cache.invalidate_everywhere(&self.tags)).await;
        }
    }
}

impl Drop for Invalidates {
    fn drop(&mut self) {
        if *self.pending.get_mut() {
            self.cache.invalidate(&self.tags);
        }
    }
}
