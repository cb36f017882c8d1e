//! A cache under a fake clock, called the way dispatch calls it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use mcp_core::cache::{Cache, CacheOptions, CacheOutcome, Key, KeyWriter, Loaded, Lookup, Served, TagId};
use mcp_core::clock::{Clock, FakeClock};
use mcp_core::policy::CachePolicy;
use mcp_core::{Failure, ToolError};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) struct Bench {
    pub(crate) cache: Cache,
    pub(crate) clock: FakeClock,
    pub(crate) runs: Arc<AtomicU64>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut CacheOptions)) -> Self {
        let (clock, hand) = Clock::fake();
        let mut options = CacheOptions { clock, jitter: 0.0, ..CacheOptions::default() };
        change(&mut options);
        Self { cache: Cache::new(options), clock: hand, runs: Arc::default() }
    }

    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(SeqCst)
    }

    /// One call whose function gives this result.
    pub(crate) async fn call(&self, lookup: Lookup, result: Result<Loaded, Failure>) -> Served {
        self.call_with(lookup, || async { result }).await
    }

    /// One call of a function, counted in `runs` where it runs.
    pub(crate) async fn call_with<F, Fut>(&self, lookup: Lookup, run: F) -> Served
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, Failure>> + Send + 'static,
    {
        if let Some(served) = self.cache.get(&lookup.key, &lookup.policy) {
            return served;
        }
        let runs = Arc::clone(&self.runs);
        let counted = move || {
            runs.fetch_add(1, SeqCst);
            run()
        };
        self.cache.get_or_run(lookup, counted).await
    }
}

impl Clone for Bench {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone(), clock: self.clock.clone(), runs: Arc::clone(&self.runs) }
    }
}

pub(crate) fn policy() -> CachePolicy {
    CachePolicy::new().ttl_ms(100_000)
}

pub(crate) fn key(name: &str) -> Key {
    KeyWriter::new(&[7; 32], "tool/test", 1, 0).field("name", name).finish().unwrap()
}

/// A lookup under the tags `everything` and `name:{name}`.
pub(crate) fn lookup(name: &str, policy: CachePolicy) -> Lookup {
    let tags = [TagId::tag("everything"), TagId::tag(&format!("name:{name}"))].into();
    Lookup { key: key(name), tags, policy, timeout: None }
}

pub(crate) fn body(text: impl ToString) -> Bytes {
    text.to_string().into()
}

pub(crate) fn good(text: impl ToString) -> Result<Loaded, Failure> {
    Ok(Loaded { body: body(text), store: true, failed: false, own: false })
}

pub(crate) fn failed() -> Result<Loaded, Failure> {
    Err(ToolError::new("out of order").into())
}

pub(crate) fn not_found() -> Result<Loaded, Failure> {
    Err(ToolError::not_found("no such thing").into())
}

/// What was served: its text, or the failure in short, and where it came from.
pub(crate) fn seen(served: &Served) -> (String, CacheOutcome) {
    let text = match &served.result {
        Ok(body) => String::from_utf8(body.to_vec()).unwrap(),
        Err(Failure::Error(error)) => format!("error: {}", error.message()),
        Err(failure) => format!("{failure:?}"),
    };
    (text, served.outcome)
}

/// Lets every task run until it waits for something.
pub(crate) async fn settle() {
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
}

#[track_caller]
pub(crate) fn assert_seen(served: &Served, text: &str, outcome: CacheOutcome) {
    assert_eq!(seen(served), (text.to_owned(), outcome));
}
