//! What hits of the cache cost beside what they cannot cost less than.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use mcp_core::arguments::Input;
use mcp_core::cache::level::{Level, Tier};
use mcp_core::cache::redis::{Redis, RedisOptions};
use mcp_core::cache::sql::{Database, DatabaseOptions};
use mcp_core::cache::{Cache, CacheOptions, CacheOutcome, KeyRoot, Loaded, Lookup, TagId};
use mcp_core::policy::{CachePolicy, Levels, Scope};
use mcp_core::{Identity, keying, tool};
use nix::time::{ClockId, clock_gettime};
use redis::AsyncCommands as _;
use redis::aio::ConnectionManager;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use tokio::runtime::{Builder, Runtime};

/// What `bench levels` is run with.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The Redis to measure with.
    #[arg(long, default_value = "redis://127.0.0.1:6379")]
    redis: String,
    /// How many calls wait for it at a time.
    #[arg(long, default_value_t = 32)]
    concurrency: usize,
    /// How many bytes a result has.
    #[arg(long, default_value_t = 2048)]
    bytes: usize,
    /// How many seconds each is measured in a round.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// How many rounds there are, of which the medians are shown.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// Adds two numbers.
#[tool(read_only, cache(ttl = "1h", scope = "public"))]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// A cost, in microseconds of processor time.
type Cost = f64;

/// Measures, and prints ratios.
pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let time = Duration::from_secs(options.seconds.max(1));

    println!(
        "memory: a hit with two numbers, from the text of its arguments on, beside a moka `get` of 32 bytes"
    );
    let memory = Memory::new(&runtime)?;
    compare(options.rounds, || Ok((memory.ours(time)?, memory.bare(time))))?;

    println!(
        "\nRedis: a hit of {} bytes, beside a `GET` of the same, {} at a time",
        options.bytes, options.concurrency
    );
    beside(&runtime, options, time, runtime.block_on(Bare::redis(options))?)?;

    println!(
        "\nSQLite: a hit of {} bytes, beside a prepared `SELECT` of the same, {} at a time",
        options.bytes, options.concurrency
    );
    let folder = std::env::temp_dir().join(format!("mcp-bench-levels-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let measured = runtime
        .block_on(Bare::sqlite(options, &folder))
        .and_then(|both| beside(&runtime, options, time, both));
    std::fs::remove_dir_all(folder)?;
    measured
}

fn beside(
    runtime: &Runtime,
    options: &Options,
    time: Duration,
    (level, bare): (Arc<dyn Level>, Bare),
) -> Result<()> {
    let below = Arc::new(runtime.block_on(Below::new(options, level, bare))?);
    compare(options.rounds, || {
        let ours = Arc::clone(&below);
        let ours = loops(runtime, options.concurrency, time, move || Arc::clone(&ours).ours())?;
        let bare = Arc::clone(&below);
        let bare = loops(runtime, options.concurrency, time, move || Arc::clone(&bare).bare())?;
        Ok((ours, bare))
    })
}

fn compare(rounds: u32, mut round: impl FnMut() -> Result<(Cost, Cost)>) -> Result<()> {
    let mut all = (0..rounds).map(|_| round()).collect::<Result<Vec<_>>>()?;
    all.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let (ours, bare) = all.get(all.len() / 2).copied().context("there is a round")?;
    println!("ours {ours:.3} µs, bare {bare:.3} µs: {:.2}", ours / bare);
    Ok(())
}

/// Runs closed loops; returns the processor time of each turn.
fn loops<F>(runtime: &Runtime, concurrency: usize, time: Duration, turn: impl Fn() -> F) -> Result<Cost>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    runtime.block_on(async {
        let turn = &turn;
        let begun = (Instant::now(), processor()?);
        let mut turns = 0_u64;
        let mut running = tokio::task::JoinSet::new();
        while begun.0.elapsed() < time {
            // A task runs many turns, so that its start does not count.
            while running.len() < concurrency {
                let many: Vec<_> = (0..200).map(|_| turn()).collect();
                running.spawn(async move {
                    for one in many {
                        one.await?;
                    }
                    Ok::<_, anyhow::Error>(200)
                });
            }
            if let Some(done) = running.join_next().await {
                turns += done??;
            }
        }
        while let Some(done) = running.join_next().await {
            turns += done??;
        }
        Ok((processor()? - begun.1).as_secs_f64() * 1e6 / turns as f64)
    })
}

fn processor() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}

/// The memory level, and moka by itself.
struct Memory {
    cache: Cache,
    root: KeyRoot,
    moka: moka::sync::Cache<[u8; 32], Arc<[u8]>>,
    key: [u8; 32],
}

const ARGUMENTS: &str = r#"{"a":2,"b":3}"#;

impl Memory {
    fn new(runtime: &Runtime) -> Result<Self> {
        let cache = Cache::new(CacheOptions::default());
        let def = add::def();
        let root = keying::root(def, &cache);
        let prepared = (def.prepare)(Input::Json(ARGUMENTS)).map_err(|error| anyhow!(error.message()))?;
        let keyed = keying::keyed(def, root, &*prepared, &Identity::anonymous());
        let lookup = keyed.context("the tool is cached")?.lookup(def, &*prepared, None);
        let key = *lookup.key.as_bytes();
        runtime.block_on(cache.prime_everywhere(&lookup, "{}".into()));
        let moka = moka::sync::Cache::new(1000);
        moka.insert(key, Arc::from(*b"{}"));
        Ok(Self { cache, root, moka, key })
    }

    fn ours(&self, time: Duration) -> Result<Cost> {
        let (def, identity) = (add::def(), Identity::anonymous());
        let hit = || {
            let prepared = (def.prepare)(Input::Json(black_box(ARGUMENTS))).ok()?;
            let keyed = keying::keyed(def, self.root, &*prepared, &identity)?;
            self.cache.get(&keyed.key, &keyed.policy)
        };
        ensure!(hit().is_some_and(|served| served.outcome == CacheOutcome::Memory), "it is no hit");
        Ok(timed(time, || _ = black_box(hit())))
    }

    fn bare(&self, time: Duration) -> Cost {
        timed(time, || _ = black_box(self.moka.get(black_box(&self.key))))
    }
}

fn timed(time: Duration, turn: impl Fn()) -> Cost {
    let begun = Instant::now();
    let mut turns = 0_u64;
    while begun.elapsed() < time {
        (0..1000).for_each(|_| turn());
        turns += 1000;
    }
    begun.elapsed().as_secs_f64() * 1e6 / turns as f64
}

/// A level, and by itself what keeps it.
struct Below {
    cache: Cache,
    tier: CacheOutcome,
    /// Many calls: those who ask for the same at a time share one flight.
    lookups: Vec<Lookup>,
    next: AtomicUsize,
    bare: Bare,
}

enum Bare {
    Redis(ConnectionManager),
    Sqlite(SqlitePool),
}

const CALLS: usize = 1024;

const BARE: &str = "mcp:{bench levels}:bare";

impl Below {
    async fn new(options: &Options, level: Arc<dyn Level>, bare: Bare) -> Result<Self> {
        let tier = match level.tier() {
            Tier::Shared => CacheOutcome::Shared,
            Tier::Database => CacheOutcome::Database,
        };
        let secret = Some([7; 32]);
        let cache = Cache::new(CacheOptions { levels: vec![level], secret, ..CacheOptions::default() });
        cache.open().await;
        // Never from memory.
        let policy = CachePolicy::new().scope(Scope::Public).levels(Levels::Shared).ttl_ms(600_000);
        let tags: Arc<[TagId]> = [TagId::component("tool", "page"), TagId::tag("pages")].into();
        let body = vec![b'7'; options.bytes];
        let mut lookups = Vec::new();
        for page in 0..CALLS {
            let key = cache.key("tool/page", 1, 7).field("page", &page).finish()?;
            let lookup = Lookup { key, tags: Arc::clone(&tags), policy, timeout: None };
            cache.prime_everywhere(&lookup, body.clone().into()).await;
            lookups.push(lookup);
        }
        Ok(Self { cache, tier, lookups, next: AtomicUsize::new(0), bare })
    }

    async fn ours(self: Arc<Self>) -> Result<()> {
        let run = || async { Ok(Loaded { body: "0".into(), store: false, failed: false, own: false }) };
        let next = self.next.fetch_add(1, Relaxed) % CALLS;
        let lookup = self.lookups.get(next).context("there are so many")?.clone();
        let served = self.cache.get_or_run(lookup, run).await;
        ensure!(served.outcome == self.tier, "it is no hit: {:?}", served.outcome);
        Ok(())
    }

    async fn bare(self: Arc<Self>) -> Result<()> {
        let value: Vec<u8> = match &self.bare {
            Bare::Redis(redis) => redis.clone().get(BARE).await?,
            Bare::Sqlite(pool) => {
                let next = self.next.fetch_add(1, Relaxed) % CALLS;
                let select = sqlx::query_scalar("SELECT value FROM bare WHERE key = ?1");
                select.bind(i64::try_from(next)?).fetch_one(pool).await?
            }
        };
        ensure!(!value.is_empty(), "the value is lost");
        Ok(())
    }
}

impl Bare {
    async fn redis(options: &Options) -> Result<(Arc<dyn Level>, Self)> {
        let level = Redis::open(&options.redis, &RedisOptions { application: "bench levels".to_owned() })?;
        let mut redis = ConnectionManager::new(redis::Client::open(&*options.redis)?).await?;
        let () = redis.pset_ex(BARE, vec![b'7'; options.bytes], 600_000).await?;
        Ok((Arc::new(level), Self::Redis(redis)))
    }

    async fn sqlite(options: &Options, folder: &Path) -> Result<(Arc<dyn Level>, Self)> {
        let url = format!("sqlite://{}/level.db", folder.display());
        let level = Database::open(&url, DatabaseOptions::default())?;
        let file = SqliteConnectOptions::new().filename(folder.join("bare.db")).create_if_missing(true);
        // As many readers as the level has.
        let pool = SqlitePoolOptions::new().max_connections(4);
        let pool = pool.connect_with(file.journal_mode(SqliteJournalMode::Wal)).await?;
        sqlx::query("CREATE TABLE bare (key INTEGER PRIMARY KEY, value BLOB)").execute(&pool).await?;
        for key in 0..CALLS {
            let insert = sqlx::query("INSERT INTO bare VALUES (?1, ?2)").bind(i64::try_from(key)?);
            insert.bind(vec![b'7'; options.bytes]).execute(&pool).await?;
        }
        Ok((Arc::new(level), Self::Sqlite(pool)))
    }
}
