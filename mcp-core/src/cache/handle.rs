//! The cache as its users hold it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::backoff::Backoff;
use super::chance::Chance;
use super::entry::{Entry, Life};
use super::flight::Flights;
use super::generations::Generations;
use super::key::{Key, KeyRoot, KeyWriter, random_secret};
use super::level::{Below, Cipher, Found, Heard, Level, Look, Sealer, Voided};
use super::lookup::{Landing, Lookup};
use super::memory::Memory;
use super::stats::{CacheStats, Counts};
use super::tag::TagId;
use crate::clock::Clock;
use crate::uri::canonical;

/// The cached results of a server. Clones are handles to the same cache.
///
/// # Examples
///
/// ```
/// use mcp_core::cache::{Cache, CacheOptions};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let cache = Cache::new(CacheOptions::default());
/// cache.invalidate_tag("products").await;
/// cache.invalidate_resource("product://7").await;
/// assert_eq!(cache.stats().invalidations, 2);
/// # });
/// ```
#[derive(Clone)]
pub struct Cache(pub(super) Arc<Inner>);

pub(super) struct Inner {
    secret: [u8; 32],
    pub(super) enabled: bool,
    pub(super) default_ttl: Duration,
    pub(super) jitter: f64,
    pub(super) error_throttle: Duration,
    pub(super) clock: Clock,
    pub(super) chance: Chance,
    pub(super) generations: Generations,
    pub(super) memory: Memory,
    pub(super) flights: Arc<Flights<Landing>>,
    pub(super) backoff: Backoff,
    pub(super) counts: Counts,
    pub(super) below: Below,
    pub(super) heard: Heard,
    observers: RwLock<Vec<Observer>>,
    resolver: OnceLock<Resolver>,
}

/// What a cache is made of.
#[derive(Clone)]
pub struct CacheOptions {
    /// Whether anything is cached at all.
    pub enabled: bool,
    /// How many bytes memory may hold.
    pub memory_bytes: u64,
    /// How long a result is fresh where its component does not say.
    pub default_ttl: Duration,
    /// By which random share, at most, a life is shortened; between 0 and 1.
    pub jitter: f64,
    /// The time that lives are measured by.
    pub clock: Clock,
    /// How long a function that failed is left alone while an old result is served for it.
    pub error_throttle: Duration,
    /// How many functions may run for callers to share; further calls run by themselves.
    pub max_flights: usize,
    /// The levels below memory, in any order.
    pub levels: Vec<Arc<dyn Level>>,
    /// How long is waited for one of them at a time.
    pub level_deadline: Duration,
    /// Whether one of many processes computes a result that all want, while the others wait a moment.
    pub lease: bool,
    /// What all who share levels have in common, and nobody else knows: keys and values are protected by it.
    pub secret: Option<[u8; 32]>,
    /// Whether private results are encrypted in levels, with the secret; needs the feature `encryption`.
    pub encrypt: bool,
    /// Whether private results may be in levels though there is no secret, so that who sees keys can guess arguments.
    pub share_private: bool,
}

impl std::fmt::Debug for CacheOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheOptions")
            .field("enabled", &self.enabled)
            .field("memory_bytes", &self.memory_bytes)
            .field("default_ttl", &self.default_ttl)
            .field("levels", &self.levels.len())
            .finish_non_exhaustive()
    }
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            memory_bytes: 10 << 20,
            default_ttl: Duration::from_secs(300),
            jitter: 0.1,
            clock: Clock::default(),
            error_throttle: Duration::from_secs(10),
            max_flights: 10_000,
            levels: Vec::new(),
            level_deadline: Duration::from_millis(250),
            lease: false,
            secret: None,
            encrypt: false,
            share_private: false,
        }
    }
}

/// Is told of every invalidation, after it has taken effect; must not wait.
pub type Observer = Arc<dyn Fn(Invalidated<'_>) + Send + Sync>;

/// Finds what the results of a resource carry, by any way to write its URI: the tags of its arguments.
pub type Resolver = Box<dyn Fn(&Cache, &str) -> Vec<TagId> + Send + Sync>;

/// What was invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalidated<'a> {
    /// Whatever carries one of these.
    Tags(&'a [TagId]),
    /// Everything.
    All,
}

/// What a level holds under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EntryInfo {
    /// Which level: `memory`, `shared` or `database`.
    pub level: String,
    /// Whether a call may still be served from it.
    pub valid: bool,
    /// Whether it is a "not found".
    pub negative: bool,
    /// How long it is fresh.
    pub fresh_for: Duration,
    /// How long it is served while a refresh runs.
    pub stale_for: Duration,
    /// How long it replaces failures.
    pub stale_if_error_for: Duration,
    /// The bytes it takes, key and tags included.
    pub bytes: u32,
    /// How many tags it carries.
    pub tags: usize,
}

impl Cache {
    /// Makes an empty cache.
    pub fn new(options: CacheOptions) -> Self {
        let random = || {
            let [a, b, c, d, e, f, g, h, ..] = random_secret();
            u64::from_le_bytes([a, b, c, d, e, f, g, h])
        };
        let secret = match options.secret {
            Some(secret) => secret,
            None if options.levels.is_empty() => random_secret(),
            // All who share the levels make the same keys; private results stay out of them.
            None => blake3::derive_key("mcp cache without a secret 1", b""),
        };
        let cipher = options.secret.filter(|_| options.encrypt).and_then(|secret| Cipher::new(&secret));
        // What is to be encrypted and cannot be stays in memory.
        let private =
            (options.secret.is_some() || options.share_private) && options.encrypt == cipher.is_some();
        let sealer = Sealer::new(&secret, options.secret.is_some(), cipher);
        let CacheOptions { levels, level_deadline, lease, .. } = options;
        // 0 is the levels' own.
        let below = Below::new(levels, sealer, level_deadline, private, lease, random() | 1);
        Self(Arc::new(Inner {
            secret,
            enabled: options.enabled,
            default_ttl: options.default_ttl,
            jitter: if options.jitter.is_nan() { 0.0 } else { options.jitter.clamp(0.0, 1.0) },
            error_throttle: options.error_throttle,
            heard: Heard::new(options.clock.now()),
            clock: options.clock,
            chance: Chance::new(random()),
            generations: Generations::default(),
            memory: Memory::new(options.memory_bytes),
            flights: Flights::new(options.max_flights),
            backoff: Backoff::new(),
            counts: Counts::default(),
            below,
            observers: RwLock::default(),
            resolver: OnceLock::new(),
        }))
    }

    /// Starts the key of one call; see [`KeyWriter::new`].
    #[must_use]
    pub fn key(&self, component: &str, version: u32, schema: u64) -> KeyWriter {
        KeyWriter::of(self.key_root(component, version, schema))
    }

    /// Derives what the keys of a component are hashed with; see [`KeyRoot::new`].
    #[must_use]
    pub fn key_root(&self, component: &str, version: u32, schema: u64) -> KeyRoot {
        KeyRoot::new(&self.0.secret, component, version, schema)
    }

    /// Makes every result that carries a tag invalid.
    ///
    /// After it returns no later call gets a result whose function began to run before. Levels that are shared
    /// with others know then, too; one that cannot be reached is told as soon as it can, and not read before.
    pub async fn invalidate_tag(&self, tag: &str) {
        self.invalidate_everywhere(&[TagId::tag(tag)]).await;
    }

    /// Makes every result that was read from a resource invalid; see [`invalidate_tag`](Self::invalidate_tag).
    pub async fn invalidate_resource(&self, uri: &str) {
        self.invalidate_everywhere(&self.resource_tags(uri)).await;
    }

    /// Makes every result that carries one of the tags invalid; see [`invalidate_tag`](Self::invalidate_tag).
    pub async fn invalidate_everywhere(&self, tags: &[TagId]) {
        let told = self.invalidating(&Voided::Tags(tags.to_vec()));
        self.0.below.heard(&told).await;
    }

    /// Makes every result invalid and frees their memory; see [`invalidate_tag`](Self::invalidate_tag).
    pub async fn clear(&self) {
        let told = self.invalidating(&Voided::All);
        self.0.below.heard(&told).await;
    }

    /// Does what [`clear`](Self::clear) does, for callers that cannot wait: levels are told behind their back.
    pub fn clear_now(&self) {
        self.invalidating(&Voided::All);
    }

    /// Makes every result that carries one of the tags invalid, for callers that cannot wait: levels are told
    /// behind their back.
    pub fn invalidate(&self, tags: &[TagId]) {
        self.invalidating(&Voided::Tags(tags.to_vec()));
    }

    /// Invalidates at all levels; returns by what numbers those below know it.
    fn invalidating(&self, voided: &Voided) -> Vec<u64> {
        if matches!(voided, Voided::Tags(tags) if tags.is_empty()) {
            return Vec::new();
        }
        // Before it takes effect here: who is called after that reads nothing below that was there before.
        let told = self.0.below.invalidate(voided);
        self.void(voided);
        self.0.below.tell();
        told
    }

    /// Makes results invalid here, at the cost of the tags alone.
    pub(super) fn void(&self, voided: &Voided) {
        match voided {
            Voided::Tags(tags) => {
                self.0.generations.invalidate(tags);
                self.tell(Invalidated::Tags(tags));
            }
            Voided::All => {
                self.0.generations.clear();
                self.0.memory.clear();
                self.tell(Invalidated::All);
            }
        }
    }

    /// Returns the tags that make what was read from a resource invalid.
    pub fn resource_tags(&self, uri: &str) -> Vec<TagId> {
        let resolved = self.0.resolver.get().map(|resolve| resolve(self, uri)).unwrap_or_default();
        std::iter::once(TagId::resource(&canonical(uri))).chain(resolved).collect()
    }

    /// Sets how the URI of a resource is found to be that of others; once.
    pub fn resolve_resources(&self, resolver: Resolver) {
        let _ = self.0.resolver.set(resolver);
    }

    /// Keeps a result in memory as if its function had returned it now.
    ///
    /// A run that is under way does not replace it.
    pub fn prime(&self, lookup: &Lookup, body: Bytes) {
        self.primed(lookup, body);
    }

    /// Keeps a result in memory and below as if its function had returned it now.
    pub async fn prime_everywhere(&self, lookup: &Lookup, body: Bytes) {
        let below = &self.0.below;
        let keeps = below.keeps(lookup) && body.len() <= lookup.policy.max_bytes;
        // Before, so that an invalidation from here on counts below as well; only the marks are wanted.
        let look = if keeps { below.look(lookup, Some(Duration::ZERO)).await } else { Look::default() };
        if let Some(life) = self.primed(lookup, body.clone()) {
            below.write(lookup, &look, &body, life, Duration::ZERO).await;
        }
    }

    fn primed(&self, lookup: &Lookup, body: Bytes) -> Option<Life> {
        let life = Life::of(&lookup.policy, self.jittered(self.life(&lookup.policy)?));
        let stamp = self.0.generations.stamp(Arc::clone(&lookup.tags));
        self.put(lookup, Arc::new(Entry::body(body, stamp, self.0.clock.now(), life, Duration::ZERO)));
        Some(life)
    }

    /// Adds a function that is told of every invalidation.
    pub fn on_invalidate(&self, observer: Observer) {
        self.0.observers.write().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    /// Returns what the cache has counted, and its state now.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let Inner { memory, generations, flights, .. } = &*self.0;
        memory.maintain();
        let counted = self.0.counts.stats();
        CacheStats {
            entries: memory.entries(),
            bytes: memory.bytes(),
            capacity: memory.capacity(),
            evicted: memory.evicted(),
            expired: counted.expired + memory.expired(),
            flights: flights.running() as u64,
            invalidations: generations.count(),
            mark_overflows: generations.overflows(),
            levels: self.0.below.stats(),
            ..counted
        }
    }

    /// Returns what memory holds under a key.
    #[must_use]
    pub fn entry(&self, key: &Key) -> Option<EntryInfo> {
        let entry = self.0.memory.get(key)?;
        let now = self.0.clock.now();
        let left = |until: Duration| until.saturating_sub(now);
        let (fresh_for, stale_for, stale_if_error_for) =
            (left(entry.fresh_until), left(entry.stale_until), left(entry.error_until));
        Some(EntryInfo {
            level: "memory".to_owned(),
            valid: self.0.generations.is_valid(&entry.stamp)
                && fresh_for.max(stale_for).max(stale_if_error_for) > Duration::ZERO,
            negative: entry.is_negative(),
            fresh_for,
            stale_for,
            stale_if_error_for,
            bytes: entry.weight(),
            tags: entry.stamp.tags().len(),
        })
    }

    /// Returns what the levels below memory hold for a call; those that do not answer are left out.
    pub async fn entries_below(&self, lookup: &Lookup) -> Vec<EntryInfo> {
        if !self.0.below.keeps(lookup) {
            return Vec::new();
        }
        let found = self.0.below.each(lookup).await.into_iter().map(|Found { tier, body, life, age }| {
            let left = life.after(age);
            EntryInfo {
                level: tier.to_string(),
                valid: left.total() > Duration::ZERO,
                negative: false,
                fresh_for: left.fresh,
                stale_for: left.stale,
                stale_if_error_for: left.error,
                bytes: u32::try_from(body.len()).unwrap_or(u32::MAX),
                tags: lookup.tags.len(),
            }
        });
        found.collect()
    }

    /// Returns whether there are levels below memory.
    #[must_use]
    pub fn has_levels(&self) -> bool {
        !self.0.below.is_empty()
    }

    /// Frees what expired and evicts what is over the bound; to be called about once a second.
    ///
    /// Calls do it as well, but a server without calls would keep expired results in memory.
    pub fn maintain(&self) {
        self.0.memory.maintain();
    }

    /// Returns how many functions run for callers to share.
    #[must_use]
    pub fn flights(&self) -> usize {
        self.0.flights.running()
    }

    /// Waits until no function runs for callers to share.
    pub async fn idle(&self) {
        self.0.flights.idle().await;
    }

    /// Waits as [`idle`](Self::idle) does, and until all levels know what was invalidated, but no longer than
    /// `limit`; returns whether it came to that.
    pub async fn drain(&self, limit: Duration) -> bool {
        let drained = async {
            self.idle().await;
            while !self.0.below.know() {
                self.0.below.tell();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(limit, drained).await.is_ok()
    }

    fn tell(&self, invalidated: Invalidated<'_>) {
        // Cloned, so that an observer may add another.
        let observers = self.0.observers.read().unwrap_or_else(PoisonError::into_inner).clone();
        for observer in observers {
            if catch_unwind(AssertUnwindSafe(|| observer(invalidated))).is_err() {
                tracing::error!("an observer of cache invalidations panicked");
            }
        }
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("enabled", &self.0.enabled).finish_non_exhaustive()
    }
}
