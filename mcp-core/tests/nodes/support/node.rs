//! A node: one cache, the way one process of a server has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use mcp_core::cache::level::{Level, LevelError};
use mcp_core::cache::redis::{Redis, RedisOptions};
use mcp_core::cache::{Cache, CacheOptions, CacheOutcome, Loaded, Lookup, Served, TagId};
use mcp_core::policy::CachePolicy;
use mcp_core::{Failure, ToolError};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// How long a condition may take to come true on a machine that does many other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) cache: Cache,
    /// How often its functions ran.
    pub(crate) runs: Arc<AtomicU64>,
}

impl Node {
    pub(crate) async fn open(url: &str, application: &str) -> Self {
        Self::with(url, application, |_| {}).await
    }

    pub(crate) async fn with(url: &str, application: &str, change: impl FnOnce(&mut CacheOptions)) -> Self {
        Self::on(level(url, application), change).await
    }

    pub(crate) async fn on(level: Arc<dyn Level>, change: impl FnOnce(&mut CacheOptions)) -> Self {
        let mut options = CacheOptions {
            levels: vec![level],
            secret: Some([5; 32]),
            jitter: 0.0,
            ..CacheOptions::default()
        };
        change(&mut options);
        let cache = Cache::new(options);
        cache.open().await;
        Self { cache, runs: Arc::default() }
    }

    pub(crate) async fn many(count: usize, url: &str, application: &str) -> Vec<Self> {
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(Self::open(url, application).await);
        }
        nodes
    }

    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(SeqCst)
    }

    /// A lookup under the tags `everything` and `name:{name}`.
    pub(crate) fn lookup(&self, name: &str, policy: CachePolicy) -> Lookup {
        self.lookup_of(name, policy, None, 0)
    }

    pub(crate) fn lookup_of(
        &self,
        name: &str,
        policy: CachePolicy,
        owner: Option<[u8; 32]>,
        schema: u64,
    ) -> Lookup {
        let mut key = self.cache.key("tool/test", 1, schema);
        let key = key.owner(owner.as_ref()).field("name", name).finish().unwrap();
        let tags = [TagId::tag("everything"), TagId::tag(&format!("name:{name}"))].into();
        Lookup { key, tags, policy, timeout: None }
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

    /// One call under the plain policy, and what it wrote below.
    pub(crate) async fn settle(&self, name: &str, result: impl ToString) -> (String, CacheOutcome) {
        let served = self.call(self.lookup(name, policy()), good(result)).await;
        self.cache.idle().await;
        seen(&served)
    }
}

/// Where the tests' Redis is.
pub(crate) fn redis_url() -> String {
    std::env::var("MCP_TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned())
}

/// A name of an application that no other test has, of whatever run.
pub(crate) fn application(test: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    format!("{test}-{}-{}-{}", std::process::id(), since.as_micros(), COUNT.fetch_add(1, SeqCst))
}

pub(crate) fn level(url: &str, application: &str) -> Arc<dyn Level> {
    let opened: Result<_, LevelError> =
        Redis::open(url, &RedisOptions { application: application.to_owned() });
    Arc::new(opened.unwrap())
}

pub(crate) fn policy() -> CachePolicy {
    CachePolicy::new().ttl_ms(100_000)
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn body(text: impl ToString) -> Bytes {
    text.to_string().into()
}

pub(crate) fn good(text: impl ToString) -> Result<Loaded, Failure> {
    Ok(Loaded { body: body(text), store: true, failed: false, own: false })
}

pub(crate) fn failed() -> Result<Loaded, Failure> {
    Err(ToolError::new("out of order").into())
}

pub(crate) fn text(served: &Served) -> String {
    match &served.result {
        Ok(body) => String::from_utf8(body.to_vec()).unwrap(),
        Err(failure) => format!("{failure:?}"),
    }
}

/// What was served and where it came from.
pub(crate) fn seen(served: &Served) -> (String, CacheOutcome) {
    (text(served), served.outcome)
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let begun = tokio::time::Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "in vain waited until {what}");
        tokio::time::sleep(millis(5)).await;
    }
    begun.elapsed()
}
