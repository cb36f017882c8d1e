//! What the components of one test do, how often they ran, and the server that they belong to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, Weak};
use std::time::Duration;

use harness::Figures;
use mcp_server::cache::{Cache, CacheStats};
use mcp_server::clock::{Clock, FakeClock};
use mcp_server::prelude::*;
use mcp_server::serde_json::{Value, json};
use mcp_server::{Called, Server};
use tokio::sync::Semaphore;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// How long a test waits for what must come before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// The labs of all tests, by the number that their server's configuration names.
static LABS: LazyLock<Mutex<Vec<Lab>>> = LazyLock::new(Mutex::default);

/// The origin behind the components of one server. Clones are handles to the same one.
#[derive(Clone, Default)]
pub(crate) struct Lab(Arc<Inner>);

#[derive(Default)]
struct Inner {
    runs: Mutex<HashMap<String, u64>>,
    does: Mutex<HashMap<String, Does>>,
    gates: Mutex<HashMap<String, Gate>>,
    version: AtomicU64,
    server: OnceLock<Weak<Server>>,
}

/// How a run ends.
#[derive(Clone, Default)]
pub(crate) enum Does {
    /// With its name and its number.
    #[default]
    Count,
    Say(String),
    Fail,
    NotFound,
    Invalid,
    Hide,
    IsError,
    Panic,
    Hang,
}

/// Holds runs up until it is opened.
#[derive(Clone)]
pub(crate) struct Gate(Arc<(Semaphore, Semaphore)>);

impl Gate {
    /// Waits until one more run has come to it.
    pub(crate) async fn entered(&self) {
        let entered = tokio::time::timeout(PATIENCE, self.0.0.acquire()).await;
        entered.expect("a run comes to the gate").unwrap().forget();
    }

    /// Lets a number of runs through.
    pub(crate) fn pass(&self, runs: usize) {
        self.0.1.add_permits(runs);
    }

    /// Lets every run through.
    pub(crate) fn open(&self) {
        self.pass(1 << 20);
    }
}

/// The lab of the server that asks.
#[provider]
fn lab(config: &Config) -> Lab {
    LABS.lock().unwrap()[config.app["lab"].as_u64().unwrap() as usize].clone()
}

impl Lab {
    /// One run of what a component does.
    pub(crate) async fn run(&self, what: &str) -> Result<ToolOutput, ToolError> {
        let number = self.begin(what);
        // Decided at the start, as a read from a database would be.
        let does = self.0.does.lock().unwrap().get(what).cloned().unwrap_or_default();
        self.pass(what).await;
        let count = format!("{what}#{number}");
        match does {
            Does::Count => Ok(ToolOutput::new([count])),
            Does::Say(text) => Ok(ToolOutput::new([text])),
            Does::Fail => Err(ToolError::new("out of order")),
            Does::NotFound => Err(ToolError::not_found("no such thing")),
            Does::Invalid => Err(ToolError::invalid("no such wish")),
            Does::Hide => Err(std::io::Error::other("a secret").into()),
            Does::IsError => Ok(ToolOutput::new([count]).error()),
            Does::Panic => panic!("as told"),
            Does::Hang => std::future::pending().await,
        }
    }

    /// As [`run`](Self::run), of a component whose result is text.
    pub(crate) async fn text(&self, what: &str) -> Result<String, ToolError> {
        let output = self.run(what).await?;
        Ok(match &output.content[0] {
            Content::Text { text, .. } => text.clone(),
            _ => unreachable!("a lab says text"),
        })
    }

    /// One run that reads the version of the origin.
    pub(crate) async fn read(&self, what: &str) -> String {
        self.begin(what);
        let version = self.0.version.load(SeqCst);
        self.pass(what).await;
        format!("v{version}")
    }

    /// Changes the origin.
    pub(crate) fn change(&self) {
        self.0.version.fetch_add(1, SeqCst);
    }

    pub(crate) fn version(&self) -> u64 {
        self.0.version.load(SeqCst)
    }

    fn begin(&self, what: &str) -> u64 {
        let mut runs = self.0.runs.lock().unwrap();
        let number = runs.entry(what.to_owned()).or_default();
        *number += 1;
        *number
    }

    async fn pass(&self, what: &str) {
        let gate = self.0.gates.lock().unwrap().get(what).cloned();
        if let Some(gate) = gate {
            gate.0.0.add_permits(1);
            gate.0.1.acquire().await.unwrap().forget();
        }
    }

    /// Sets how runs end from now on.
    pub(crate) fn set(&self, what: &str, does: Does) {
        self.0.does.lock().unwrap().insert(what.to_owned(), does);
    }

    /// Holds up runs that begin from now on.
    pub(crate) fn close(&self, what: &str) -> Gate {
        let gate = Gate(Arc::new((Semaphore::new(0), Semaphore::new(0))));
        self.0.gates.lock().unwrap().insert(what.to_owned(), gate.clone());
        gate
    }

    /// Returns how often something ran.
    pub(crate) fn runs(&self, what: &str) -> u64 {
        self.0.runs.lock().unwrap().get(what).copied().unwrap_or(0)
    }

    /// Returns how often anything of a component ran.
    pub(crate) fn runs_of(&self, component: &str) -> u64 {
        let runs = self.0.runs.lock().unwrap();
        let of = |what: &str| what.split(':').next() == Some(component);
        runs.iter().filter(|(what, _)| of(what)).map(|(_, runs)| runs).sum()
    }

    /// Returns the server, for a component that calls another one.
    pub(crate) fn server(&self) -> Arc<Server> {
        self.0.server.get().and_then(Weak::upgrade).unwrap()
    }
}

/// A server of all components of these tests, its origin and its time.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) server: Arc<Server>,
    pub(crate) lab: Lab,
    pub(crate) clock: FakeClock,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::built(change, |server| server)
    }

    pub(crate) fn built(config: impl FnOnce(&mut Config), build: impl FnOnce(Server) -> Server) -> Self {
        let (server, lab, clock) = server(config);
        let server = Arc::new(build(server));
        lab.0.server.set(Arc::downgrade(&server)).unwrap();
        Self { server, lab, clock }
    }

    /// Calls a tool: where its result came from, and its text.
    pub(crate) async fn call(&self, name: &str, arguments: Value) -> String {
        told(&self.server.call_tool(name, arguments).await.unwrap())
    }

    /// Calls a tool that takes an `id`.
    pub(crate) async fn tool(&self, name: &str, id: &str) -> String {
        self.call(name, json!({ "id": id })).await
    }

    /// Calls a tool that takes an `id`, as a certain caller.
    pub(crate) async fn tool_as(&self, who: &Identity, name: &str, id: &str) -> String {
        told(&self.server.call_tool_as(who.clone(), name, json!({ "id": id })).await.unwrap())
    }

    /// Calls a tool in a task of its own.
    pub(crate) fn spawn(&self, name: &str, id: &str) -> tokio::task::JoinHandle<String> {
        let (bench, name, id) = (self.clone(), name.to_owned(), id.to_owned());
        tokio::spawn(async move { bench.tool(&name, &id).await })
    }

    pub(crate) async fn resource(&self, uri: &str) -> String {
        told(&self.server.read_resource(uri).await.unwrap())
    }

    pub(crate) async fn prompt(&self, name: &str, id: &str) -> String {
        told(&self.server.get_prompt(name, vec![("id".to_owned(), id.to_owned())]).await.unwrap())
    }

    /// Does what one of the three does; the kind is in front: `tool plain`, `resource lab://x/1`.
    pub(crate) async fn any(&self, what: &str, id: &str) -> String {
        match what.split_once(' ').unwrap() {
            ("tool", name) => self.tool(name, id).await,
            ("prompt", name) => self.prompt(name, id).await,
            (_, uri) => self.resource(&format!("{uri}/{id}")).await,
        }
    }

    pub(crate) fn cache(&self) -> Cache {
        self.server.cache().unwrap()
    }

    pub(crate) fn stats(&self) -> CacheStats {
        self.cache().stats()
    }

    /// Waits until no run is under way.
    pub(crate) async fn idle(&self) {
        assert!(self.cache().drain(PATIENCE).await, "runs are still under way");
    }

    /// Waits until something is so, letting tasks run.
    pub(crate) async fn until(&self, is_so: impl Fn(&CacheStats) -> bool) {
        let waiting = async {
            while !is_so(&self.stats()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it comes to that");
    }

    pub(crate) fn figures(&self, kind: &str, name: &str) -> Figures {
        Figures::of(&self.server, kind, name)
    }
}

/// Makes a server that is not shared yet.
pub(crate) fn server(config: impl FnOnce(&mut Config)) -> (Server, Lab, FakeClock) {
    let lab = Lab::default();
    let number = {
        let mut labs = LABS.lock().unwrap();
        labs.push(lab.clone());
        labs.len() - 1
    };
    let mut settings = Config::default();
    settings.app = json!({ "lab": number });
    config(&mut settings);
    let (clock, hand) = Clock::fake();
    (Server::linked().config(settings).clock(clock).jitter(0.0), lab, hand)
}

/// Returns where a result came from and what it says; ids of log lines are left out.
pub(crate) fn told(called: &Called) -> String {
    let text = called.text();
    let text = text.split(" (id ").next().unwrap_or_default();
    let error = if called.is_error() { "error: " } else { "" };
    format!("{}: {error}{text}", called.cache.word())
}
