//! A server: components, settings, and the ways to serve them.

use std::sync::{Arc, OnceLock};

use mcp_core::cache::{Cache, CacheOptions, CacheOutcome};
use mcp_core::clock::Clock;
use mcp_core::link::Item;
use mcp_core::profile::{Profiler, Report};
#[cfg(feature = "cli")]
use mcp_core::registry::Registry;
use mcp_core::{Config, Identity, PromptDef, ProviderDef, ResourceDef, ToolDef};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::auth::Authenticator;
use crate::error::Error;
use crate::protocol::Handler;
use crate::started::Core;

/// A server of tools, resources and prompts.
///
/// Made by [`Server::linked`] from what all linked crates declare, or by [`Server::builder`] from what
/// is added by hand. It starts at its first use: mistakes in the components are reported there.
///
/// # Examples
///
/// ```
/// use mcp_server::prelude::*;
///
/// /// Adds two numbers.
/// #[tool(read_only)]
/// fn add(a: i64, b: i64) -> i64 {
///     a + b
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mcp_server::Error> {
/// let server = Server::builder().name("sums").tool(add::def());
/// let called = server.call_tool("add", serde_json::json!({ "a": 2, "b": 3 })).await?;
/// assert_eq!(called.text(), "5");
/// # Ok(())
/// # }
/// ```
#[must_use = "a server does nothing until it serves"]
pub struct Server {
    setup: Setup,
    stopping: CancellationToken,
    core: OnceLock<Result<Arc<Core>, Error>>,
}

#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) name: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) instructions: Option<String>,
    pub(crate) linked: bool,
    pub(crate) items: Vec<Item>,
    pub(crate) config: Option<Config>,
    pub(crate) clock: Clock,
    pub(crate) jitter: f64,
    pub(crate) page_size: usize,
    pub(crate) authenticator: Option<Arc<dyn Authenticator>>,
}

/// The result of a call within the process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Called {
    /// The result, as revision 2026-07-28 writes it, without what belongs to a request.
    pub result: Value,
    /// Where it came from.
    pub cache: CacheOutcome,
    /// How long it is fresh from now on.
    pub fresh_for: std::time::Duration,
}

impl Called {
    /// Returns the text blocks of a tool's result or a resource's content, joined by new lines.
    pub fn text(&self) -> String {
        let texts: Vec<_> = self.blocks().filter_map(|block| block.get("text")?.as_str()).collect();
        texts.join("\n")
    }

    /// Returns whether the result is text alone, which [`text`](Self::text) holds whole.
    pub fn is_text(&self) -> bool {
        self.blocks().all(|block| block.get("text").is_some_and(Value::is_string))
    }

    /// Returns the blocks of a tool's result, the parts of a resource, or what a prompt's messages say.
    fn blocks(&self) -> impl Iterator<Item = &Value> {
        let list = |name: &str| self.result.get(name).and_then(Value::as_array).into_iter().flatten();
        let said = list("messages").filter_map(|message| message.get("content"));
        list("content").chain(list("contents")).chain(said)
    }

    /// Returns whether a tool's result describes a failure.
    pub fn is_error(&self) -> bool {
        self.result.get("isError").and_then(Value::as_bool).unwrap_or(false)
    }
}

impl Server {
    /// Creates a server of everything that the attributes of all linked crates declare.
    ///
    /// A crate of the dependency list that nothing in the program names is not linked, and its
    /// components are not found: write `use my_tools as _;`.
    pub fn linked() -> Self {
        let mut server = Self::builder();
        server.setup.linked = true;
        server
    }

    /// Creates a server of nothing; components are added by [`tool`](Self::tool) and the like.
    pub fn builder() -> Self {
        let setup = Setup {
            name: "mcp-server".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            instructions: None,
            linked: false,
            items: Vec::new(),
            config: None,
            clock: Clock::default(),
            jitter: CacheOptions::default().jitter,
            page_size: 500,
            authenticator: None,
        };
        Self { setup, stopping: CancellationToken::new(), core: OnceLock::new() }
    }

    fn with(mut self, change: impl FnOnce(&mut Setup)) -> Self {
        change(&mut self.setup);
        Self { core: OnceLock::new(), ..self }
    }

    /// Adds a tool: `.tool(add::def())`.
    pub fn tool(self, def: &'static ToolDef) -> Self {
        self.with(|setup| setup.items.push(Item::Tool(def)))
    }

    /// Adds a resource: `.resource(product::def())`.
    pub fn resource(self, def: &'static ResourceDef) -> Self {
        self.with(|setup| setup.items.push(Item::Resource(def)))
    }

    /// Adds a prompt: `.prompt(review::def())`.
    pub fn prompt(self, def: &'static PromptDef) -> Self {
        self.with(|setup| setup.items.push(Item::Prompt(def)))
    }

    /// Adds a provider: `.provider(database::def())`.
    pub fn provider(self, def: &'static ProviderDef) -> Self {
        self.with(|setup| setup.items.push(Item::Provider(def)))
    }

    /// Sets the name that clients see; [`main!`](crate::main) sets the program's.
    pub fn name(self, name: &str) -> Self {
        self.with(|setup| setup.name = name.into())
    }

    /// Sets the version that clients see; [`main!`](crate::main) sets the package's.
    pub fn version(self, version: &str) -> Self {
        self.with(|setup| setup.version = version.into())
    }

    /// Sets what a model is told about using the server.
    pub fn instructions(self, instructions: impl Into<String>) -> Self {
        self.with(|setup| setup.instructions = Some(instructions.into()))
    }

    /// Sets the configuration, in place of that from `mcp.toml`, the environment and flags.
    pub fn config(self, config: Config) -> Self {
        self.with(|setup| setup.config = Some(config))
    }

    /// Sets the clock that freshness is measured by, for tests: see [`Clock::fake`].
    pub fn clock(self, clock: Clock) -> Self {
        self.with(|setup| setup.clock = clock)
    }

    /// Sets by which random share, at most, cached results live shorter than declared; 0.1 by default.
    ///
    /// Results that were stored together then do not expire together.
    pub fn jitter(self, share: f64) -> Self {
        self.with(|setup| setup.jitter = share)
    }

    /// Sets how many entries one page of a list has; 500 by default.
    pub fn page_size(self, entries: usize) -> Self {
        self.with(|setup| setup.page_size = entries.max(1))
    }

    /// Sets how HTTP requests are told apart by caller, in place of the tokens of the configuration.
    pub fn authenticator(self, authenticator: impl Authenticator) -> Self {
        self.with(|setup| setup.authenticator = Some(Arc::new(authenticator)))
    }

    /// Returns the server as a handler for rmcp, for one connection or session.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] with every mistake in the components and their settings.
    pub fn rmcp(&self) -> Result<Handler, Error> {
        let core = self.core()?;
        core.look_after();
        Ok(Handler::new(Arc::clone(core)))
    }

    /// Calls a tool within the process, as an anonymous caller without a client.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] with every mistake in the components, or where there is no such tool. An error
    /// of the tool is a result: see [`Called::is_error`].
    pub async fn call_tool(&self, name: &str, arguments: Value) -> Result<Called, Error> {
        self.call_tool_as(Identity::anonymous(), name, arguments).await
    }

    /// Calls a tool within the process as a certain caller.
    ///
    /// # Errors
    ///
    /// As [`call_tool`](Self::call_tool).
    pub async fn call_tool_as(
        &self,
        identity: Identity,
        name: &str,
        arguments: Value,
    ) -> Result<Called, Error> {
        let core = self.core()?;
        let entry = core.dispatch.registry.tool(name).ok_or_else(|| unknown("tool", name))?;
        let arguments = arguments.to_string();
        let input = mcp_core::arguments::Input::Json(&arguments);
        core.called(entry, input, None, identity).await
    }

    /// Reads a resource within the process, as an anonymous caller without a client.
    ///
    /// # Errors
    ///
    /// As [`call_tool`](Self::call_tool).
    pub async fn read_resource(&self, uri: &str) -> Result<Called, Error> {
        self.read_resource_as(Identity::anonymous(), uri).await
    }

    /// Reads a resource within the process as a certain caller.
    ///
    /// # Errors
    ///
    /// As [`call_tool`](Self::call_tool).
    pub async fn read_resource_as(&self, identity: Identity, uri: &str) -> Result<Called, Error> {
        let core = self.core()?;
        let (entry, values) = core.dispatch.registry.resource(uri).ok_or_else(|| unknown("resource", uri))?;
        let input = mcp_core::arguments::Input::Text(&values);
        core.called(entry, input, Some(uri), identity).await
    }

    /// Gets a prompt within the process, as an anonymous caller without a client.
    ///
    /// # Errors
    ///
    /// As [`call_tool`](Self::call_tool).
    pub async fn get_prompt(&self, name: &str, arguments: Vec<(String, String)>) -> Result<Called, Error> {
        self.get_prompt_as(Identity::anonymous(), name, arguments).await
    }

    /// Gets a prompt within the process as a certain caller.
    ///
    /// # Errors
    ///
    /// As [`call_tool`](Self::call_tool).
    pub async fn get_prompt_as(
        &self,
        identity: Identity,
        name: &str,
        arguments: Vec<(String, String)>,
    ) -> Result<Called, Error> {
        let core = self.core()?;
        let entry = core.dispatch.registry.prompt(name).ok_or_else(|| unknown("prompt", name))?;
        let input = mcp_core::arguments::Input::Text(&arguments);
        core.called(entry, input, None, identity).await
    }

    /// Returns the cache of the server.
    ///
    /// # Errors
    ///
    /// As [`rmcp`](Self::rmcp).
    pub fn cache(&self) -> Result<Cache, Error> {
        self.core().map(|core| core.dispatch.cache.clone())
    }

    /// Returns what was measured: of each component that was called, of the cache, of the process.
    ///
    /// # Errors
    ///
    /// As [`rmcp`](Self::rmcp).
    pub fn report(&self) -> Result<Report, Error> {
        self.core().map(|core| core.report())
    }

    /// Returns what measures the calls: it can be switched off and on, and tells of slow calls.
    ///
    /// # Errors
    ///
    /// As [`rmcp`](Self::rmcp).
    pub fn profiler(&self) -> Result<Arc<Profiler>, Error> {
        self.core().map(|core| Arc::clone(&core.dispatch.profiler))
    }

    /// Tells the server to stop: nothing new is taken on, calls under way are answered, and then
    /// `serve_stdio` and `serve_http` return.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Starts the server, where it has not.
    pub(crate) fn core(&self) -> Result<&Arc<Core>, Error> {
        self.core
            .get_or_init(|| Core::start(&self.setup, self.stopping.clone()))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// Returns what the server is when it has started.
    pub(crate) fn started(&self) -> Option<&Arc<Core>> {
        self.core.get()?.as_ref().ok()
    }

    #[cfg(feature = "cli")]
    pub(crate) fn server_name(&self) -> (&str, &str) {
        (&self.setup.name, &self.setup.version)
    }

    /// Returns a server of the same components that shares nothing with this one, with other settings.
    #[cfg(feature = "cli")]
    pub(crate) fn apart(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut setup = self.setup.clone();
        change(setup.config.get_or_insert_default());
        Self { setup, stopping: self.stopping.clone(), core: OnceLock::new() }
    }

    /// Returns the components of the program's own, be it that the server starts or not.
    #[cfg(feature = "cli")]
    pub(crate) fn registry(&self) -> Result<Registry, Error> {
        crate::started::registry(&self.setup, &[])
    }

    /// Returns whether the program has a way of its own to tell callers apart.
    #[cfg(feature = "cli")]
    pub(crate) fn has_authenticator(&self) -> bool {
        self.setup.authenticator.is_some()
    }

    #[cfg(feature = "cli")]
    pub(crate) fn explicit_config(&self) -> Option<Config> {
        self.setup.config.clone()
    }
}

fn unknown(kind: &str, name: &str) -> Error {
    Error::start(format!("no {kind} `{name}`: `list` shows what there is"))
}
