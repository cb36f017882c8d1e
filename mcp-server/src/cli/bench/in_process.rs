//! Calls within this process, through the same dispatch as those of clients.

use std::sync::Arc;
use std::time::Duration;

use mcp_core::cache::{Cache, TagId};
use mcp_core::profile::{Measured as Profile, Profiler, Totals};
use serde_json::{Map, Value};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::figures::Figures;
use super::load::{Caller, Did, Measured, Plan, load};
use super::options::Options;
use super::target::{Kind, Known, Target};
use crate::error::Error;
use crate::measured::calibrated;
use crate::server::{Called, Server};

/// How many calls are measured each by itself.
const SINGLE: usize = 32;

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
        let asks = entry.def.cache.is_some();
        let is_cached = if asks { call.clone().kept(options.duration, stop).await } else { Some(false) };
        let Some(is_cached) = is_cached else {
            let why = format!("no answer in {:?}: write a longer `--duration`", options.duration);
            return Ok(vec![(Wanted::All.word(), Measured::failed(why), None)]);
        };
        let wanted: &[_] = if is_cached { &[Wanted::Cold, Wanted::Warm] } else { &[Wanted::All] };
        let mut passes = Vec::new();
        for wanted in wanted.iter().copied().filter(|_| !stop.is_cancelled()) {
            tell(wanted.word());
            let call = Call { wanted, ..call.clone() };
            let profile = profile.as_deref().map(|profile| (&*core.dispatch.profiler, profile));
            passes.push(pass(call, profile, options, stop).await);
        }
        Ok(passes)
    }
}

async fn pass(
    call: Call,
    profile: Option<(&Profiler, &Profile)>,
    options: &Options,
    stop: &CancellationToken,
) -> (&'static str, Measured, Option<Figures>) {
    let callers = vec![call.clone(); options.connections];
    let plan = Plan { duration: options.duration, rate: options.rate };
    let warmed = load(callers, Plan { duration: options.warmup, ..plan }, stop);
    // Nobody else has the profiler leave the slower clock, which would be a part of each time.
    let calibrated = async {
        if let Some((profiler, _)) = profile {
            stop.run_until_cancelled(calibrated(profiler)).await;
        }
    };
    let ((callers, _), ()) = tokio::join!(warmed, calibrated);
    let profile = profile.map(|(_, profile)| profile);
    let before = profile.map(Profile::totals);
    let (_, measured) = load(callers, plan, stop).await;
    let after = profile.map(Profile::totals);
    let word = call.wanted.word();
    let single = match profile {
        Some(profile) => single(call, profile, options, stop).await,
        None => None,
    };
    let load = after.zip(before).map(|(after, before)| after.since(&before));
    let figures = load.zip(single).and_then(|(load, single)| Figures::of(&load, &single));
    (word, measured, figures)
}

/// Makes calls one after another, and returns what the profiler counted of each; `None`: one failed.
async fn single(
    mut call: Call,
    profile: &Profile,
    options: &Options,
    stop: &CancellationToken,
) -> Option<Vec<Totals>> {
    let until = Instant::now() + options.duration;
    let mut single = Vec::new();
    // What is made once for each thread is made by the first two.
    for number in 0..SINGLE as u64 + 2 {
        call.ready(number);
        let before = profile.totals();
        let answer = stop.run_until_cancelled(tokio::time::timeout_at(until, call.call())).await;
        let Some(Ok(answer)) = answer else { break };
        match call.judge(answer) {
            Did::Counted if number >= 2 => single.push(profile.totals().since(&before)),
            Did::Counted | Did::Else => {}
            Did::Failed(_) | Did::Gone(_) => return None,
        }
    }
    Some(single)
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
    /// Returns whether the cache keeps the result of the first arguments; `None`: there is no answer in time.
    async fn kept(mut self, limit: Duration, stop: &CancellationToken) -> Option<bool> {
        for _ in 0..2 {
            self.ready(0);
            match stop.run_until_cancelled(tokio::time::timeout(limit, self.call())).await {
                Some(Ok(Ok(called))) if !called.cache.is_own_run() => return Some(true),
                Some(Ok(_)) => {}
                Some(Err(_)) => return None,
                None => return Some(false),
            }
        }
        Some(false)
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
