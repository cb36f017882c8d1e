//! Calls within this process, through the same dispatch as those of clients.

use std::sync::Arc;

use mcp_core::cache::{Cache, TagId};
use mcp_core::profile::{Measured as Profile, Totals};
use serde_json::{Map, Value};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::figures::Figures;
use super::load::{Caller, Did, Measured, Plan, load};
use super::options::Options;
use super::target::{Kind, Known, Target};
use crate::error::Error;
use crate::server::{Called, Server};

/// How many calls are measured each by itself.
const SINGLE: usize = 32;

/// Of how many it is said at least that they are all alike, where calls take long.
const LEAST_SINGLE: usize = 8;

/// A server of the same components, for this measurement alone.
pub(super) struct Process(Arc<Server>);

/// Which calls of a pass are its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// Those for which the function ran; what is kept is made invalid before each.
    Cold,
    /// Those for which it did not.
    Warm,
    All,
}

impl Wanted {
    fn word(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
            Self::All => "calls",
        }
    }
}

impl Process {
    /// Starts one without the levels that processes share: others' results would be made invalid.
    pub(super) fn new(server: &Server) -> Result<Self, Error> {
        let server = server.apart(|config| {
            config.cache_redis_url = None;
            config.cache_database_url = None;
            config.redis_url = None;
        });
        server.core()?;
        Ok(Self(Arc::new(server)))
    }

    /// Returns the components.
    pub(super) fn known(&self) -> Result<Vec<Known>, Error> {
        let entries = self.0.core()?.dispatch.registry.entries();
        Ok(entries.iter().filter(|entry| entry.is_enabled()).map(|entry| Known::of(entry.def)).collect())
    }

    /// Returns whether a URI is one of a resource.
    pub(super) fn has_uri(&self, uri: &str) -> bool {
        self.0.core().is_ok_and(|core| core.dispatch.registry.resource(uri).is_some())
    }

    /// Measures a component: cold and warm where it is cached, else once.
    pub(super) async fn measure(
        &self,
        target: &Target,
        options: &Options,
        stop: &CancellationToken,
        tell: impl Fn(&str),
    ) -> Result<Vec<(&'static str, Measured, Option<Figures>)>, Error> {
        let core = self.0.core()?;
        let registry = &core.dispatch.registry;
        let entry = match target.kind {
            Kind::Tool => registry.tool(&target.name),
            Kind::Prompt => registry.prompt(&target.name),
            Kind::Resource => registry.resource(&target.name).map(|(entry, _)| entry),
        };
        let entry = entry.ok_or_else(|| Error::start(format!("`{target}` is switched off")))?;
        let (kind, name) = (entry.def.kind.word(), entry.def.name);
        let profile = core.dispatch.profiler.component(kind, name);
        let profile = profile.filter(|_| core.dispatch.profiler.is_enabled() && entry.def.profile).cloned();
        let call = Call {
            server: Arc::clone(&self.0),
            target: Arc::new(target.clone()),
            cache: core.dispatch.cache.clone(),
            tag: entry.def.tag(),
            wanted: Wanted::All,
            next: Asked::Resource,
        };
        let is_cached = entry.def.cache.is_some() && call.clone().kept(stop).await;
        let wanted: &[_] = if is_cached { &[Wanted::Cold, Wanted::Warm] } else { &[Wanted::All] };
        let mut passes = Vec::new();
        for wanted in wanted.iter().copied().filter(|_| !stop.is_cancelled()) {
            tell(wanted.word());
            let call = Call { wanted, ..call.clone() };
            passes.push(pass(call, profile.as_deref(), options, stop).await);
        }
        Ok(passes)
    }
}

async fn pass(
    call: Call,
    profile: Option<&Profile>,
    options: &Options,
    stop: &CancellationToken,
) -> (&'static str, Measured, Option<Figures>) {
    let callers = vec![call.clone(); options.connections];
    let plan = Plan { duration: options.duration, rate: options.rate };
    let (callers, _) = load(callers, Plan { duration: options.warmup, ..plan }, stop).await;
    let before = profile.map(Profile::totals);
    let (_, measured) = load(callers, plan, stop).await;
    let after = profile.map(Profile::totals);
    let word = call.wanted.word();
    let single = match profile {
        Some(profile) => single(call, profile, options, stop).await,
        None => Vec::new(),
    };
    let figures = after.zip(before).and_then(|(after, before)| Figures::of(&after.since(&before), &single));
    (word, measured, figures)
}

/// Makes calls one after another, and returns what the profiler counted of each.
async fn single(
    mut call: Call,
    profile: &Profile,
    options: &Options,
    stop: &CancellationToken,
) -> Vec<Totals> {
    let until = Instant::now() + options.duration;
    let mut single = Vec::new();
    // What is made once for each thread is made by the first two.
    for number in 0..SINGLE as u64 + 2 {
        call.ready(number);
        let before = profile.totals();
        if stop
            .run_until_cancelled(tokio::time::timeout_at(until, call.call()))
            .await
            .is_none_or(|done| done.is_err())
        {
            break;
        }
        if number >= 2 {
            single.push(profile.totals().since(&before));
        }
    }
    if single.len() < LEAST_SINGLE { Vec::new() } else { single }
}

/// One connection: it calls a component with the next of its arguments.
#[derive(Clone)]
struct Call {
    server: Arc<Server>,
    target: Arc<Target>,
    cache: Cache,
    tag: TagId,
    wanted: Wanted,
    next: Asked,
}

/// The arguments of the next call, in the form that the server takes.
#[derive(Clone)]
enum Asked {
    Tool(Value),
    Resource,
    Prompt(Vec<(String, String)>),
}

impl Call {
    /// Returns whether the cache keeps the result of the first arguments.
    async fn kept(mut self, stop: &CancellationToken) -> bool {
        for _ in 0..2 {
            self.ready(0);
            match stop.run_until_cancelled(self.call()).await {
                Some(Ok(called)) if !called.cache.is_own_run() => return true,
                Some(_) => {}
                None => return false,
            }
        }
        false
    }
}

impl Caller for Call {
    type Answer = Result<Called, Error>;

    fn ready(&mut self, number: u64) {
        let place = (number % self.target.arguments.len().max(1) as u64) as usize;
        let arguments = self.target.arguments.get(place).cloned().unwrap_or_default();
        self.next = match self.target.kind {
            Kind::Tool => Asked::Tool(arguments.into()),
            Kind::Resource => Asked::Resource,
            Kind::Prompt => Asked::Prompt(texts(arguments)),
        };
        if self.wanted == Wanted::Cold {
            self.cache.invalidate(&[self.tag]);
        }
    }

    async fn call(&mut self) -> Self::Answer {
        let name = &self.target.name;
        match std::mem::replace(&mut self.next, Asked::Resource) {
            Asked::Tool(arguments) => self.server.call_tool(name, arguments).await,
            Asked::Resource => self.server.read_resource(name).await,
            Asked::Prompt(arguments) => self.server.get_prompt(name, arguments).await,
        }
    }

    fn judge(&self, answer: Self::Answer) -> Did {
        match answer {
            Err(error) => Did::Failed(error.to_string()),
            Ok(called) if called.is_error() => Did::Failed(called.text()),
            Ok(called) => match self.wanted {
                Wanted::Cold if !called.cache.is_own_run() => Did::Else,
                Wanted::Warm if called.cache.is_own_run() => Did::Else,
                _ => Did::Counted,
            },
        }
    }
}

/// Returns the arguments of a prompt, which are text.
pub(super) fn texts(arguments: Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    arguments.into_iter().map(|(name, value)| (name, text(value))).collect()
}
