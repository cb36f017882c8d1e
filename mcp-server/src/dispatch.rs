//! The one place where a component runs: every transport brings its calls here.
//!
//! Authentication comes before, rendering after. In between: arguments into their types, the key, the
//! cache, and only on a miss the function, as one flight for all who ask the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use mcp_core::arguments::Input;
use mcp_core::cache::{Cache, CacheOutcome, Loaded, Served};
use mcp_core::component::{BoxFuture, Kind, Prepared, Tags};
use mcp_core::ctx::{Client, Ctx, RequestInfo};
use mcp_core::invocation::Invocation;
use mcp_core::places::Places;
use mcp_core::policy::Scope;
use mcp_core::profile::{Frame, Profiled, Profiler};
use mcp_core::provider::Providers;
use mcp_core::registry::{Entry, Registry};
use mcp_core::{Config, ErrorKind, Failure, Identity, ToolError, keying};
use tokio_util::sync::CancellationToken;

use crate::invalidates::Invalidates;
use crate::operation::Operations;
use crate::record::{Record, logged};

/// What calls need of a running server.
pub(crate) struct Dispatch {
    pub(crate) registry: Arc<Registry>,
    pub(crate) cache: Cache,
    pub(crate) providers: Providers,
    pub(crate) config: Arc<Config>,
    pub(crate) profiler: Arc<Profiler>,
    pub(crate) operations: Arc<Operations>,
    places: Arc<Places>,
    pub(crate) answering: AtomicUsize,
}

/// A call on its way in.
pub(crate) struct Call<'a> {
    pub(crate) entry: &'a Arc<Entry>,
    pub(crate) arguments: Arguments<'a>,
    /// The URI that a resource is read by.
    pub(crate) uri: Option<&'a str>,
    pub(crate) caller: Caller,
    /// Whether it continues an earlier call, with answers or a state: such calls never touch the cache.
    pub(crate) continues: bool,
}

/// The arguments of a call.
pub(crate) enum Arguments<'a> {
    /// As they arrived.
    Raw(Input<'a>),
    /// Read into their types already.
    Read(Box<dyn Prepared>),
}

/// Who calls.
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    /// The request and the way back; only a component that takes a `Ctx` needs them.
    pub(crate) request: Option<(RequestInfo, Arc<dyn Client>)>,
    /// Is cancelled when the caller wants no answer any more; who has none drops the call instead.
    pub(crate) cancelled: Option<CancellationToken>,
}

impl Caller {
    /// Makes the context of the call.
    pub(crate) fn ctx(self, cancelled: CancellationToken) -> Option<Ctx> {
        let (request, client) = self.request?;
        Some(Ctx::new(self.identity, client, request, cancelled))
    }
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
    /// Whether the result says that the tool failed.
    pub(crate) failed: bool,
}

impl Dispatch {
    pub(crate) fn new(
        registry: Arc<Registry>,
        cache: Cache,
        providers: Providers,
        config: Arc<Config>,
        profiler: Arc<Profiler>,
        operations: Arc<Operations>,
    ) -> Self {
        let places = Arc::new(Places::new(config.max_concurrency));
        // Here, so that no call waits for it.
        for entry in registry.entries().iter().filter(|entry| entry.def.cache.is_some()) {
            entry.root(&cache);
        }
        Self {
            registry,
            cache,
            providers,
            config,
            profiler,
            operations,
            places,
            answering: AtomicUsize::new(0),
        }
    }

    /// Answers a call: begins at once, and ends when the returned future does.
    ///
    /// What can be done without waiting is done before, so that the future holds no more than it needs.
    pub(crate) fn answer<'a>(&'a self, call: Call<'a>) -> impl Future<Output = Answer> + Send + 'a {
        let entry = call.entry;
        let mut record = Record::new(self, entry, call.caller.cancelled.clone());
        // A function that knows its request is told of a cancellation, and cleans up itself.
        let cancelled = call.caller.cancelled.clone().filter(|_| !entry.def.uses_ctx);
        // A user's own types are written in there, and may panic.
        let next = catch_unwind(AssertUnwindSafe(|| self.prepare(call, &mut record)));
        let next = next.unwrap_or_else(|_| Next::Answer(unserved(Failure::Panic)));
        async move {
            let served = match next {
                Next::Answer(served) => served,
                Next::Wait(served) => unless(cancelled, served).await,
            };
            record.finish(&served);
            let log_id = served.result.as_ref().err().and_then(|failure| logged(entry, failure));
            Answer {
                log_id,
                result: served.result,
                cache: served.outcome,
                fresh_for: served.fresh_for,
                failed: served.failed,
                scope: entry.def.cache.map_or(Scope::Private, |policy| policy.scope),
            }
        }
    }

    /// Waits until no call is being answered, but no longer than `limit`; returns whether it came to that.
    pub(crate) async fn idle(&self, limit: Duration) -> bool {
        let idle = async {
            while self.answering.load(Ordering::Acquire) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(limit, idle).await.is_ok()
    }

    /// Reads the arguments, looks into the cache, and makes the run ready that a miss needs.
    fn prepare<'a>(&'a self, call: Call<'_>, record: &mut Record<'_>) -> Next<'a> {
        let Call { entry, arguments, uri, caller, continues } = call;
        if let Err(forbidden) = entry.allow(&caller.identity) {
            return Next::Answer(unserved(forbidden));
        }
        let prepared = match arguments {
            Arguments::Read(prepared) => prepared,
            Arguments::Raw(input) => match entry.read(input) {
                Ok(prepared) => prepared,
                Err(Failure::Error(error)) => {
                    return Next::Answer(unserved(explained(entry, &error).into()));
                }
                Err(failure) => return Next::Answer(unserved(failure)),
            },
        };
        record.decoded();
        let keyed = (!continues)
            .then(|| keying::keyed(entry.def, entry.root(&self.cache), &*prepared, &caller.identity))
            .flatten();
        let takes_ctx = entry.def.uses_ctx;
        let identity = caller.identity.clone();
        let Some(keyed) = keyed else {
            let cancelled = caller.cancelled.clone().unwrap_or_default();
            let ctx = if takes_ctx { caller.ctx(cancelled) } else { None };
            let run = Profiled::new(self.run(prepared, entry, identity, ctx), record.bypassed());
            return Next::Wait(Box::pin(self.cache.bypass(entry.def.timeout, move || run)));
        };
        if let Some(hit) = self.cache.get(&keyed.key, &keyed.policy) {
            return Next::Answer(hit);
        }
        let lookup = keyed.lookup(entry.def, &*prepared, uri);
        let ctx = if takes_ctx { caller.ctx(CancellationToken::new()) } else { None };
        // The run is not its caller's: others may wait for it, and the cache keeps what comes of it.
        let run = Profiled::new(self.run(prepared, entry, identity, ctx), record.looked());
        Next::Wait(Box::pin(self.cache.get_or_run(lookup, move || run)))
    }

    /// Makes the run of a component: its places, the function, what it invalidates.
    fn run(
        &self,
        prepared: Box<dyn Prepared>,
        entry: &Arc<Entry>,
        identity: Identity,
        ctx: Option<Ctx>,
    ) -> Run {
        let mut cx = Invocation::new(identity, self.providers.clone()).with_ctx(ctx.clone());
        if let Kind::Resource(part) = entry.def.kind {
            cx = cx.with_mime(part.mime);
        }
        let mut invalidated = Tags::default();
        prepared.invalidates(&mut invalidated);
        let invalidates = Invalidates::new(self.cache.clone(), invalidated);
        let (own_places, all_places) = (entry.places.clone(), Arc::clone(&self.places));
        let max_response_size = self.config.max_response_size;

        self.operations.carried(Box::pin(async move {
            // The component's own place first: who waits for that holds none that others could use.
            let own = match own_places {
                Some(places) => Some(places.enter().await?),
                None => None,
            };
            let places = (own, all_places.enter().await?);
            let running = Arc::new((places, invalidates));
            let cx = cx.holding(Arc::clone(&running) as Arc<_>);
            running.1.begin();
            Frame::entered();
            let reply = match &ctx {
                None => prepared.run(cx).await,
                Some(ctx) => tokio::select! {
                    biased;
                    reply = prepared.run(cx) => reply,
                    asked = ctx.asked() => {
                        running.1.nothing_done();
                        return Err(Failure::InputRequired(asked));
                    }
                },
            };
            let reply = match reply {
                Ok(reply) => reply,
                // It did its work, of which the caller gets no result.
                Err(error) if error.is_unwritten() => return Err(error.into()),
                Err(error) => {
                    running.1.nothing_done();
                    return Err(error.into());
                }
            };
            if reply.failed {
                running.1.nothing_done();
            } else {
                running.1.done().await;
            }
            if reply.body.len() as u64 > max_response_size {
                return Err(ToolError::new(format_args!(
                    "the result has {} bytes, and this server sends at most {max_response_size} \
                     (`MCP_MAX_RESPONSE_SIZE`): ask for less",
                    reply.body.len()
                ))
                .into());
            }
            Ok(Loaded {
                body: reply.body,
                store: reply.store,
                failed: reply.failed,
                own: ctx.is_some_and(|ctx| ctx.has_asked()),
            })
        }))
    }
}

/// What a call comes to after a look into the cache.
enum Next<'a> {
    Answer(Served),
    Wait(BoxFuture<'a, Served>),
}

/// A run that has not begun.
type Run = BoxFuture<'static, Result<Loaded, Failure>>;

/// Waits for an answer, unless nobody wants it any more.
async fn unless(cancelled: Option<CancellationToken>, served: BoxFuture<'_, Served>) -> Served {
    let Some(cancelled) = cancelled else { return served.await };
    tokio::select! {
        biased;
        served = served => served,
        () = cancelled.cancelled() => unserved(Failure::Cancelled),
    }
}

fn unserved(failure: Failure) -> Served {
    Served { result: Err(failure), outcome: CacheOutcome::Bypass, fresh_for: Duration::ZERO, failed: false }
}

/// Adds the known arguments to an error about them, so that a model can correct itself.
fn explained(entry: &Entry, error: &ToolError) -> ToolError {
    if error.kind() != Some(ErrorKind::Invalid) {
        return error.clone();
    }
    let known = mcp_core::component::known_arguments(entry.def);
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
