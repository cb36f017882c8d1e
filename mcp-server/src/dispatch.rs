//! The one place where a component runs: every transport brings its calls here.
//!
//! Authentication comes before, rendering after. In between: arguments into their types, the key, the
//! cache, and only on a miss the function, as one flight for all who ask the same.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcp_core::arguments::Input;
use mcp_core::cache::{Cache, CacheOutcome, Loaded, Lookup, Served};
use mcp_core::component::{Kind, Prepared, Tags};
use mcp_core::ctx::{Client, Ctx, RequestInfo};
use mcp_core::invocation::Invocation;
use mcp_core::policy::Scope;
use mcp_core::provider::Providers;
use mcp_core::registry::{Entry, Registry};
use mcp_core::stats::Outcome;
use mcp_core::{Config, ErrorKind, Failure, Identity, ToolError, keying};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::error::log_id;

/// What calls need of a running server.
pub(crate) struct Dispatch {
    pub(crate) registry: Arc<Registry>,
    pub(crate) cache: Cache,
    pub(crate) providers: Providers,
    pub(crate) config: Arc<Config>,
    places: Arc<Semaphore>,
}

/// A call on its way in.
pub(crate) struct Call<'a> {
    pub(crate) entry: &'a Arc<Entry>,
    pub(crate) input: Input<'a>,
    /// The URI that a resource is read by.
    pub(crate) uri: Option<&'a str>,
    pub(crate) caller: Caller,
    /// Whether it continues an earlier call, with answers or a state: such calls never touch the cache.
    pub(crate) continues: bool,
}

/// Who calls, and the way back.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    pub(crate) client: Arc<dyn Client>,
    pub(crate) request: RequestInfo,
    pub(crate) cancelled: CancellationToken,
}

/// What becomes of a call.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The neutral bytes of the result.
    pub(crate) result: Result<Bytes, Failure>,
    /// The id of the log line about a failure that the caller is told nothing else of.
    pub(crate) log_id: Option<String>,
    pub(crate) cache: CacheOutcome,
    /// How long the result is fresh from now on.
    pub(crate) fresh_for: Duration,
    /// Who may share it.
    pub(crate) scope: Scope,
}

impl Dispatch {
    pub(crate) fn new(
        registry: Arc<Registry>,
        cache: Cache,
        providers: Providers,
        config: Arc<Config>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(config.max_concurrency as usize));
        Self { registry, cache, providers, config, places }
    }

    /// Answers a call.
    pub(crate) async fn answer(&self, call: Call<'_>) -> Answer {
        let entry = call.entry;
        let mut record = Record::new(self, entry, call.caller.cancelled.clone());
        let served = self.serve(call).await;
        record.cache = served.outcome;
        let outcome = outcome(&served.result, record.cancelled.is_cancelled());
        let took = record.finish(outcome);

        let log_id = served.result.as_ref().err().and_then(|failure| logged(entry, failure, took));
        Answer {
            log_id,
            result: served.result,
            cache: served.outcome,
            fresh_for: served.fresh_for,
            scope: entry.def.cache.map_or(Scope::Private, |policy| policy.scope),
        }
    }

    async fn serve(&self, call: Call<'_>) -> Served {
        let Call { entry, input, uri, caller, continues } = call;
        let prepared = match (entry.def.prepare)(input) {
            Ok(prepared) => prepared,
            Err(error) => return unserved(explained(entry, &error).into()),
        };
        let identity = &caller.identity;
        let keyed = (!continues)
            .then(|| keying::keyed(entry.def, entry.fingerprint, &*prepared, identity, &self.cache))
            .flatten();

        let cancelled = caller.cancelled.clone();
        match keyed {
            Some(keyed) => {
                if let Some(hit) = self.cache.get(&keyed.key, &keyed.policy) {
                    return hit;
                }
                let lookup = keyed.lookup(entry.def, &*prepared, uri);
                self.shared(lookup, prepared, entry, caller, &cancelled).await
            }
            None => {
                let takes_ctx = entry.def.uses_ctx;
                let run = self.run(prepared, entry, caller, cancelled.clone());
                let served = self.cache.bypass(entry.def.timeout, move || run);
                if takes_ctx {
                    // It is told of the cancellation, and cleans up itself.
                    return served.await;
                }
                tokio::select! {
                    biased;
                    served = served => served,
                    () = cancelled.cancelled() => unserved(Failure::Cancelled),
                }
            }
        }
    }

    /// Runs a component whose result others may wait for: the caller's end is not the run's.
    async fn shared(
        &self,
        lookup: Lookup,
        prepared: Box<dyn Prepared>,
        entry: &Arc<Entry>,
        caller: Caller,
        cancelled: &CancellationToken,
    ) -> Served {
        let run = self.run(prepared, entry, caller, CancellationToken::new());
        tokio::select! {
            biased;
            served = self.cache.get_or_run(lookup, move || run) => served,
            () = cancelled.cancelled() => unserved(Failure::Cancelled),
        }
    }

    /// Builds the run of a component: places, the function, what it invalidates.
    fn run(
        &self,
        prepared: Box<dyn Prepared>,
        entry: &Arc<Entry>,
        caller: Caller,
        cancelled: CancellationToken,
    ) -> impl Future<Output = Result<Loaded, Failure>> + Send + 'static + use<> {
        let Caller { identity, client, request, .. } = caller;
        let ctx = Ctx::new(identity, client, request, cancelled);
        let mut cx = Invocation::new(ctx.clone(), self.providers.clone());
        if let Kind::Resource(part) = entry.def.kind {
            cx = cx.with_mime(part.mime);
        }
        let cache = self.cache.clone();
        let places = [Some(Arc::clone(&self.places)), entry.places.clone()];
        let max_response_size = self.config.max_response_size;
        let mut invalidated = Tags::default();
        prepared.invalidates(&mut invalidated);

        async move {
            let mut held = Vec::with_capacity(places.len());
            for places in places.into_iter().flatten() {
                held.push(places.acquire_owned().await.map_err(|_| Failure::Cancelled)?);
            }
            let reply = tokio::select! {
                biased;
                reply = prepared.run(cx) => reply?,
                asked = ctx.asked() => return Err(Failure::InputRequired(asked)),
            };
            if !reply.failed {
                cache.invalidate(invalidated.ids());
            }
            if reply.body.len() as u64 > max_response_size {
                return Err(ToolError::new(format_args!(
                    "the result has {} bytes, and this server sends at most {max_response_size} (`MCP_MAX_RESPONSE_SIZE`): \
                     ask for less",
                    reply.body.len()
                ))
                .into());
            }
            Ok(Loaded { body: reply.body, store: reply.store })
        }
    }
}

/// Writes the figures of one call, also of one that is dropped before its end.
struct Record<'a> {
    dispatch: &'a Dispatch,
    entry: &'a Entry,
    cancelled: CancellationToken,
    start: Instant,
    cache: CacheOutcome,
    done: bool,
}

impl<'a> Record<'a> {
    fn new(dispatch: &'a Dispatch, entry: &'a Entry, cancelled: CancellationToken) -> Self {
        Self { dispatch, entry, cancelled, start: Instant::now(), cache: CacheOutcome::Bypass, done: false }
    }

    fn finish(mut self, outcome: Outcome) -> Duration {
        self.write(outcome)
    }

    fn write(&mut self, outcome: Outcome) -> Duration {
        self.done = true;
        let took = self.start.elapsed();
        let def = self.entry.def;
        let slow = took >= def.slow.unwrap_or(self.dispatch.config.slow_threshold);
        if self.dispatch.config.monitoring_enabled && def.profile {
            self.entry.stats.record(outcome, self.cache, took, slow);
        }
        let (kind, name) = (def.kind.word(), def.name);
        let (outcome, cache, micros) = (outcome.word(), self.cache.word(), took.as_micros() as u64);
        if slow {
            tracing::warn!(kind, name, outcome, cache, micros, "slow call");
        } else {
            tracing::debug!(kind, name, outcome, cache, micros, "call");
        }
        took
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.write(Outcome::Dropped);
        }
    }
}

fn unserved(failure: Failure) -> Served {
    Served { result: Err(failure), outcome: CacheOutcome::Bypass, fresh_for: Duration::ZERO }
}

fn outcome(result: &Result<Bytes, Failure>, cancelled: bool) -> Outcome {
    match result {
        _ if cancelled => Outcome::Cancelled,
        Ok(_) => Outcome::Ok,
        Err(Failure::Error(error)) if !error.is_hidden() => Outcome::ToolError,
        Err(Failure::Panic) => Outcome::Panic,
        Err(Failure::Cancelled) => Outcome::Cancelled,
        Err(Failure::InputRequired(_)) => Outcome::InputRequired,
        Err(_) => Outcome::Error,
    }
}

/// Logs what the caller is not told, under an id that the caller is told.
fn logged(entry: &Entry, failure: &Failure, took: Duration) -> Option<String> {
    let (kind, name) = (entry.def.kind.word(), entry.def.name);
    match failure {
        Failure::Error(error) if error.is_hidden() => {
            let id = log_id();
            tracing::error!(kind, name, id, error = error.message(), "the component failed");
            Some(id)
        }
        Failure::Panic => {
            let id = log_id();
            tracing::error!(kind, name, id, place = %entry.def.place, "the component panicked");
            Some(id)
        }
        Failure::Timeout => {
            tracing::warn!(
                kind,
                name,
                millis = took.as_millis() as u64,
                "the component took too long and was ended"
            );
            None
        }
        _ => None,
    }
}

/// Adds the known arguments to an error about them, so that a model can correct itself.
fn explained(entry: &Entry, error: &ToolError) -> ToolError {
    if error.kind() != Some(ErrorKind::Invalid) {
        return error.clone();
    }
    let known = crate::protocol::lists::arguments(entry.def);
    let known: Vec<_> = known
        .iter()
        .map(|argument| {
            let required = if argument.required { "" } else { ", optional" };
            format!("`{}` ({}{required})", argument.name, argument.type_name)
        })
        .collect();
    let name = entry.def.name;
    let known =
        if known.is_empty() { "it takes none".to_owned() } else { format!("it takes {}", known.join(", ")) };
    ToolError::invalid(format_args!("invalid arguments for `{name}`: {}; {known}", error.message()))
}
