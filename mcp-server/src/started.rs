//! A server that has started: what every connection shares.

#[cfg(feature = "http")]
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use mcp_core::Components;
use mcp_core::cache::{Cache, CacheOptions};
#[cfg(feature = "otel")]
use mcp_core::config::TraceParent;
use mcp_core::ctx::{Nobody, RequestInfo};
use mcp_core::link::{self, Item};
use mcp_core::profile::{Profiler, ProfilerOptions, Report};
use mcp_core::provider::Providers;
use mcp_core::registry::{Entry, Registry, resource_arguments_tags};
use mcp_core::{Config, Identity, keying};
use rmcp::model::{Implementation, InitializeResult, ServerCapabilities, ServerConfig};
use tokio_util::sync::CancellationToken;

use crate::auth::{self, Authenticator};
use crate::dispatch::{Answer, Arguments, Call, Caller, Dispatch};
use crate::error::Error;
use crate::levels;
use crate::measured;
use crate::operation::Operations;
use crate::profiler_tools;
use crate::protocol::hub::Hub;
use crate::protocol::lane::ReadyLists;
use crate::protocol::lists::{self, Lists};
use crate::protocol::{self, Seal};
use crate::server::{Called, Setup};
#[cfg(feature = "http")]
use crate::transport::http::Sessions;
use crate::webhook;

/// How long calls under way are waited for when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// A server that has started.
pub(crate) struct Core {
    pub(crate) name: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) instructions: Option<String>,
    pub(crate) dispatch: Dispatch,
    pub(crate) lists: Lists,
    pub(crate) ready: ReadyLists,
    pub(crate) capabilities: ServerCapabilities,
    /// Whether the direct lane takes what it can.
    pub(crate) direct: bool,
    pub(crate) operations: Arc<Operations>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) seal: Seal,
    pub(crate) page_size: usize,
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "stdio has one caller"))]
    pub(crate) authenticator: Option<Arc<dyn Authenticator>>,
    /// How many HTTP connections are open.
    #[cfg(feature = "http")]
    pub(crate) connections: Arc<AtomicUsize>,
    #[cfg(feature = "http")]
    pub(crate) sessions: Sessions,
    /// Whether what was measured is served at an address of its own.
    #[cfg(feature = "http")]
    pub(crate) admin: OnceLock<Result<(), Error>>,
    /// The wrong tokens for what was measured, wherever they came.
    #[cfg(feature = "http")]
    pub(crate) guesses: Arc<crate::admin::Guesses>,
    /// How many alerts did not reach the URL that they were for.
    pub(crate) unsent: Arc<AtomicU64>,
    /// Cancelled when the server is told to stop: nothing new is taken on, and subscriptions end.
    pub(crate) stopping: CancellationToken,
    /// Cancelled when what was under way is answered: connections end.
    pub(crate) ended: CancellationToken,
    opened: AtomicBool,
    /// Where what was measured is kept for longer.
    #[cfg(feature = "redis")]
    pub(crate) history: OnceLock<Arc<mcp_core::profile::history::History>>,
    /// The runtime that looks after it.
    pub(crate) runtime: OnceLock<tokio::runtime::Handle>,
}

impl Core {
    pub(crate) fn start(setup: &Setup, stopping: CancellationToken) -> Result<Arc<Self>, Error> {
        let config = match &setup.config {
            Some(config) => config.clone(),
            None => crate::settings::from_environment()?,
        };
        let asked = if config.profiler_tools { &profiler_tools::ITEMS[..] } else { &[] };
        let registry = Arc::new(registry(setup, asked)?);
        if registry.entries().is_empty() {
            tracing::warn!(
                "this server has no components: annotate a function with `#[tool]`, and where they are in a crate of \
                 their own, write `use my_tools as _;` so that it is linked"
            );
        }

        refuse_useless_horizons(&registry, &config)?;
        let config = Arc::new(config);
        let options = CacheOptions {
            enabled: config.cache_enabled,
            memory_bytes: config.cache_memory_bytes,
            default_ttl: config.cache_duration,
            jitter: setup.jitter,
            clock: setup.clock.clone(),
            levels: if config.cache_enabled { levels::configured(&config, &setup.name)? } else { Vec::new() },
            secret: levels::secret(&config),
            share_private: config.cache_share_private,
            encrypt: config.cache_encrypt,
            lease: config.cache_lease,
            ..CacheOptions::default()
        };
        let cache = Cache::new(options);
        let components = Components::new(Arc::clone(&registry));
        let mut options = ProfilerOptions::default();
        options.enabled = config.monitoring_enabled;
        options.sample_rate = config.monitoring_sample_rate;
        options.slow = config.slow_threshold;
        options.slow_factor = config.slow_factor;
        options.slow_query = config.slow_query_threshold;
        options.repeated = config.repeated_queries;
        #[cfg(feature = "otel")]
        {
            options.trace = Some(crate::operation::trace);
        }
        let profiler = Arc::new(Profiler::new(&registry, options));

        let needs = registry.entries().iter().map(|entry| (entry.def.name, entry.def.place, entry.def.needs));
        let providers = Providers::new(
            registry.providers(),
            Arc::clone(&config),
            cache.clone(),
            components.clone(),
            Arc::clone(&profiler),
            needs,
        )
        .map_err(Error::start)?;

        let resources = Arc::clone(&registry);
        cache.resolve_resources(Box::new(move |cache, uri| resource_arguments_tags(&resources, uri, cache)));

        let hub = Arc::new(Hub::default());
        let told = Arc::clone(&hub);
        cache.on_invalidate(Arc::new(move |what| told.invalidated(what)));
        let told = Arc::clone(&hub);
        components.on_change(Box::new(move |kind| told.listed(kind)));

        let unsent = Arc::default();
        webhook::install(&config, &setup.name, &profiler, &unsent)?;

        let operations = Arc::new(Operations::new(
            &registry,
            config.monitoring_enabled,
            #[cfg(feature = "otel")]
            (config.trace_parent == TraceParent::Local),
        ));

        let authenticator = match &setup.authenticator {
            Some(authenticator) => Some(Arc::clone(authenticator)),
            None => auth::configured(&config)?,
        };
        Ok(Arc::new(Self {
            name: Arc::clone(&setup.name),
            version: Arc::clone(&setup.version),
            instructions: setup.instructions.clone(),
            lists: Lists::new(&registry),
            ready: ReadyLists::default(),
            capabilities: lists::capabilities(&registry),
            direct: config.direct_lane,
            dispatch: Dispatch::new(registry, cache, providers, config, profiler, Arc::clone(&operations)),
            operations,
            hub,
            seal: Seal::new().map_err(Error::start)?,
            page_size: setup.page_size,
            authenticator,
            #[cfg(feature = "http")]
            connections: Arc::default(),
            #[cfg(feature = "http")]
            sessions: Sessions::default(),
            #[cfg(feature = "http")]
            admin: OnceLock::new(),
            #[cfg(feature = "http")]
            guesses: Arc::default(),
            unsent,
            stopping,
            ended: CancellationToken::new(),
            opened: AtomicBool::new(false),
            #[cfg(feature = "redis")]
            history: OnceLock::new(),
            runtime: OnceLock::new(),
        }))
    }

    /// Gets ready to serve: builds the shared values that are wanted before the first call, and hears what
    /// those who share results have invalidated.
    pub(crate) async fn open(self: &Arc<Self>) -> Result<(), Error> {
        let config = &self.dispatch.config;
        if !config.enabled {
            return Err(Error::start("this server is switched off: `enabled` is false (`MCP_ENABLED`)"));
        }
        self.dispatch.providers.preload(!config.lazy_loading).await.map_err(Error::start)?;
        levels::warn(config, &self.dispatch.cache);
        self.look_after();
        self.dispatch.cache.heard().await;
        Ok(())
    }

    /// Looks after the cache and the end from now on, where there is a runtime.
    pub(crate) fn look_after(self: &Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !self.opened.swap(true, Ordering::AcqRel) {
            self.dispatch.cache.follow();
            let _ = self.runtime.set(runtime.clone());
            // Whoever embeds a server may drop it without a word.
            runtime.spawn(Self::maintain(Arc::downgrade(self), self.stopping.clone()));
            measured::watch(&self.dispatch.profiler);
            #[cfg(feature = "redis")]
            crate::history::keep(self);
        }
    }

    async fn maintain(core: Weak<Self>, stopping: CancellationToken) {
        // Expired results hold memory, and may be secrets, until somebody looks.
        let mut every = tokio::time::interval(Duration::from_secs(1));
        while stopping.run_until_cancelled(every.tick()).await.is_some() {
            let Some(core) = core.upgrade() else { return };
            core.dispatch.cache.maintain();
        }
        let Some(core) = core.upgrade() else { return };
        if !core.dispatch.idle(GRACE).await {
            tracing::warn!("calls were still under way {GRACE:?} after the server was told to stop");
        }
        // What was answered last is still to be written.
        tokio::time::sleep(Duration::from_millis(50)).await;
        core.ended.cancel();
    }

    /// Returns what clients are told of the server.
    pub(crate) fn info(&self) -> ServerConfig {
        let mut info = InitializeResult::new(self.capabilities.clone())
            .with_server_info(Implementation::new(&*self.name, &*self.version));
        info.instructions = self.instructions.clone();
        info
    }

    pub(crate) async fn called(
        &self,
        entry: &Arc<Entry>,
        input: mcp_core::arguments::Input<'_>,
        uri: Option<&str>,
        identity: Identity,
    ) -> Result<Called, Error> {
        let request = (RequestInfo::default(), Arc::new(Nobody) as Arc<_>);
        let caller = Caller { identity, request: Some(request), cancelled: None };
        let call = Call { entry, arguments: Arguments::Raw(input), uri, caller, continues: false };
        let answer: Answer = self.dispatch.answer(call).await;
        let result = protocol::value(entry, uri, &answer)
            .map_err(|error| Error::Transport(error.message.into_owned()))?;
        Ok(Called { result, cache: answer.cache, fresh_for: answer.fresh_for })
    }

    /// Returns what was measured of the components, of the cache, and of the process.
    pub(crate) fn report(&self) -> Report {
        let mut report = self.dispatch.profiler.report(&self.name, &self.version);
        report.cache = measured::cache(&self.dispatch.cache);
        report.runtime = measured::runtime(self);
        report.dropped.alerts += self.unsent.load(Ordering::Relaxed);
        report.dropped.history = self.lost_hours();
        report
    }

    /// Returns how many hours of components the history has lost.
    #[cfg(feature = "redis")]
    pub(crate) fn lost_hours(&self) -> u64 {
        self.history.get().map_or(0, |history| history.dropped())
    }

    /// Returns how many hours of components the history has lost: there is none.
    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_self, reason = "has the form of the version with a history")]
    pub(crate) fn lost_hours(&self) -> u64 {
        0
    }
}

/// A server may be dropped without being told to stop: what is served beside it ends as well.
impl Drop for Core {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

/// Sorts and checks what is linked, what was added by hand, and what the configuration asks for.
pub(crate) fn registry(setup: &Setup, asked: &[Item]) -> Result<Registry, Error> {
    let linked = if setup.linked { link::linked() } else { &[] };
    let items = linked.iter().chain(&setup.items).chain(asked).copied();
    Registry::new(items).map_err(|mistakes| Error::Start(mistakes.into()))
}

/// Refuses components whose `stale_if_error` ends before the ttl that the configuration gives them.
fn refuse_useless_horizons(registry: &Registry, config: &Config) -> Result<(), Error> {
    let useless = registry.entries().iter().filter_map(|entry| {
        let policy = entry.def.cache?;
        let ttl = keying::ttl(&policy, config.cache_duration);
        (!policy.stale_if_error.is_zero() && policy.stale_if_error < ttl).then(|| {
            format!(
                "`{}` ({}) has `stale_if_error` of {:?}, shorter than its ttl of {ttl:?}: write a longer one, or a `ttl`",
                entry.def.name, entry.def.place, policy.stale_if_error
            )
        })
    });
    let mistakes: Vec<_> = useless.collect();
    if mistakes.is_empty() { Ok(()) } else { Err(Error::Start(mistakes.into())) }
}
