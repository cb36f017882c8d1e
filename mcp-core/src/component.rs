//! What an attribute makes of a function: data, and one way to call it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;

use crate::arguments::{self, Input};
use crate::cache::{KeyWriter, TagId};
use crate::content::Icon;
use crate::error::ToolError;
use crate::invocation::Invocation;
use crate::output::{self, IntoPromptOutput, IntoResourceOutput, IntoToolOutput, Reply};
use crate::policy::CachePolicy;
use crate::provider::Need;
use crate::uri;

/// A future that is sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A function under an attribute: its arguments as one type, and the call.
///
/// The attributes implement it on a type of their own.
pub trait Component: Sized + 'static {
    /// The parameters that the caller fills in.
    type Arguments: DeserializeOwned + Send + 'static;
    /// What the function returns.
    type Output: 'static;

    /// Calls the function; fails where what it takes beside its arguments cannot be had.
    fn call(
        arguments: Self::Arguments,
        cx: Invocation,
    ) -> impl Future<Output = Result<Self::Output, ToolError>> + Send + 'static;

    /// Writes the arguments that make the cache key.
    fn key(_arguments: &Self::Arguments, _key: &mut KeyWriter) {}

    /// Adds the tags that the cached result carries.
    fn tags(_arguments: &Self::Arguments, _tags: &mut Tags) {}

    /// Adds what a successful call makes invalid.
    fn invalidates(_arguments: &Self::Arguments, _tags: &mut Tags) {}

    /// Returns whether a call with these arguments may use the cache.
    fn when(_arguments: &Self::Arguments) -> bool {
        true
    }

    /// Returns whether a result is to be kept out of the cache.
    fn unless(_output: &Self::Output) -> bool {
        false
    }
}

/// The tags of one result, or what one call makes invalid.
#[derive(Debug, Default)]
pub struct Tags {
    ids: Vec<TagId>,
}

impl Tags {
    /// Adds a tag.
    pub fn tag(&mut self, tag: &str) {
        self.ids.push(TagId::tag(tag));
    }

    /// Adds a resource by its URI.
    pub fn resource(&mut self, uri: impl AsRef<str>) {
        self.ids.push(TagId::resource(&uri::canonical(uri.as_ref())));
    }

    /// Adds everything that a component has cached.
    pub fn component(&mut self, def: &Def) {
        self.ids.push(def.tag());
    }

    /// Returns the tags as the cache knows them.
    pub fn ids(&self) -> &[TagId] {
        &self.ids
    }

    /// Returns the tags as the cache knows them.
    pub fn into_ids(self) -> Vec<TagId> {
        self.ids
    }
}

/// A call whose arguments have been read and whose function has not run.
pub trait Prepared: Send {
    /// See [`Component::key`].
    fn key(&self, key: &mut KeyWriter);
    /// See [`Component::tags`].
    fn tags(&self, tags: &mut Tags);
    /// See [`Component::invalidates`].
    fn invalidates(&self, tags: &mut Tags);
    /// See [`Component::when`].
    fn when(&self) -> bool;
    /// See [`Component::call`].
    fn run(self: Box<Self>, cx: Invocation) -> BoxFuture<'static, Result<Reply, ToolError>>;
}

/// Turns what a component returned into its reply; `true`: to be kept out of the cache.
type IntoReply<T> = fn(T, bool, Option<&'static str>) -> Result<Reply, ToolError>;

struct Ready<C: Component> {
    arguments: C::Arguments,
    reply: IntoReply<C::Output>,
}

impl<C: Component> Prepared for Ready<C> {
    fn key(&self, key: &mut KeyWriter) {
        C::key(&self.arguments, key);
    }

    fn tags(&self, tags: &mut Tags) {
        C::tags(&self.arguments, tags);
    }

    fn invalidates(&self, tags: &mut Tags) {
        C::invalidates(&self.arguments, tags);
    }

    fn when(&self) -> bool {
        C::when(&self.arguments)
    }

    fn run(self: Box<Self>, cx: Invocation) -> BoxFuture<'static, Result<Reply, ToolError>> {
        Box::pin(async move {
            let mime = cx.mime();
            let output = C::call(self.arguments, cx).await?;
            let unkept = C::unless(&output);
            (self.reply)(output, unkept, mime)
        })
    }
}

/// Makes arguments that are in their types already into a call.
pub(crate) fn ready<C: Component>(arguments: C::Arguments, reply: IntoReply<C::Output>) -> impl Prepared {
    Ready::<C> { arguments, reply }
}

fn read<C: Component>(input: Input<'_>, reply: IntoReply<C::Output>) -> Result<Box<dyn Prepared>, ToolError> {
    let arguments = arguments::read::<C::Arguments>(input)?;
    Ok(Box::new(Ready::<C> { arguments, reply }))
}

fn prepare_tool<C: Component<Output: IntoToolOutput>>(
    input: Input<'_>,
) -> Result<Box<dyn Prepared>, ToolError> {
    read::<C>(input, output::tool_reply)
}

fn prepare_resource<C: Component<Output: IntoResourceOutput>>(
    input: Input<'_>,
) -> Result<Box<dyn Prepared>, ToolError> {
    read::<C>(input, output::resource_reply)
}

fn prepare_prompt<C: Component<Output: IntoPromptOutput>>(
    input: Input<'_>,
) -> Result<Box<dyn Prepared>, ToolError> {
    read::<C>(input, output::prompt_reply)
}

/// Where a component is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The source file, as the compiler names it.
    pub file: &'static str,
    /// The line of the attribute.
    pub line: u32,
    /// The module path, which starts with the crate's name.
    pub module: &'static str,
}

impl Place {
    /// Creates a place; the attributes pass `file!()`, `line!()` and `module_path!()`.
    pub const fn new(file: &'static str, line: u32, module: &'static str) -> Self {
        Self { file, line, module }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What a component is to the protocol, with what only that kind has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// A tool.
    Tool(ToolPart),
    /// A resource, or a template of resources.
    Resource(ResourcePart),
    /// A prompt.
    Prompt,
}

impl Kind {
    /// Returns the word for it: `tool`, `resource` or `prompt`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Tool(_) => "tool",
            Self::Resource(_) => "resource",
            Self::Prompt => "prompt",
        }
    }
}

/// What only a tool has.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ToolPart {
    /// The tool changes nothing.
    pub read_only: Option<bool>,
    /// The tool may destroy something.
    pub destructive: Option<bool>,
    /// A second call with the same arguments changes nothing more.
    pub idempotent: Option<bool>,
    /// The tool reaches beyond a closed set of things.
    pub open_world: Option<bool>,
    /// The tool may run in the background.
    pub background: Option<Background>,
}

/// When and how a tool runs in the background.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Background {
    /// Calls expected to take at least this long become tasks.
    pub threshold: Option<Duration>,
    /// Calls with at least this many bytes of arguments become tasks.
    pub input_bytes: Option<u64>,
    /// `high`, `default` or `low`.
    pub priority: &'static str,
    /// How often a failed run is repeated.
    pub retries: u32,
}

impl Background {
    /// Creates the setting of a bare `background`.
    pub const fn new() -> Self {
        Self { threshold: None, input_bytes: None, priority: "default", retries: 0 }
    }

    /// Sets the expected time from which a call becomes a task, in milliseconds.
    pub const fn threshold_ms(mut self, ms: u64) -> Self {
        self.threshold = Some(Duration::from_millis(ms));
        self
    }

    /// Sets the size of the arguments from which a call becomes a task.
    pub const fn input_bytes(mut self, bytes: u64) -> Self {
        self.input_bytes = Some(bytes);
        self
    }

    /// Sets the queue.
    pub const fn priority(mut self, priority: &'static str) -> Self {
        self.priority = priority;
        self
    }

    /// Sets how often a failed run is repeated.
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }
}

impl Default for Background {
    fn default() -> Self {
        Self::new()
    }
}

/// What only a resource has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ResourcePart {
    /// The URI, or an RFC 6570 template of it.
    pub uri: &'static str,
    /// The media type of its content; `None`: what the returned type says.
    pub mime: Option<&'static str>,
    /// Enumerates the instances of a template.
    pub list: Option<ListFn>,
}

/// Enumerates the instances of a resource template.
pub type ListFn = fn(Invocation) -> BoxFuture<'static, Result<Vec<Listed>, ToolError>>;

/// Suggests values of one argument: what is typed so far, and the arguments already chosen.
pub type CompleteFn = fn(Completing, Invocation) -> BoxFuture<'static, Result<Vec<String>, ToolError>>;

/// What a completion function is given.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Completing {
    /// What is typed so far.
    pub value: String,
    /// The other arguments that the user has already chosen.
    pub chosen: Vec<(String, String)>,
}

impl Completing {
    /// Creates the question of a client that has typed `value` after choosing `chosen`.
    pub fn new(value: String, chosen: Vec<(String, String)>) -> Self {
        Self { value, chosen }
    }
}

/// One instance of a resource template, as `list = path` enumerates it.
///
/// # Examples
///
/// ```
/// use mcp_core::Listed;
///
/// let all: Vec<Listed> = vec![
///     Listed::new("product://7", "hammer"),
///     Listed::new("product://8", "nails").title("A box of nails").size(1200),
/// ];
/// assert_eq!(all[1].uri, "product://8");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Listed {
    /// The URI.
    pub uri: String,
    /// The name.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// The size of the content in bytes.
    pub size: Option<u64>,
}

impl Listed {
    /// Creates an instance with its URI and its name.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self { uri: uri.into(), name: name.into(), title: None, description: None, size: None }
    }

    /// Sets the name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets what it is.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the size of the content in bytes.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }
}

/// What a macro emits for one function; read-only data.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Def {
    /// The name that clients use.
    pub name: &'static str,
    /// What it does, for the model that chooses.
    pub description: &'static str,
    /// A name for people.
    pub title: Option<&'static str>,
    /// Pictures of it.
    pub icons: Option<fn() -> Vec<Icon>>,
    /// The `_meta` object of the listed component.
    pub meta: Option<fn() -> serde_json::Value>,
    /// Where it is declared.
    pub place: Place,
    /// Tool, resource or prompt.
    pub kind: Kind,
    /// The cache policy; `None`: never cached.
    pub cache: Option<CachePolicy>,
    /// A call that takes longer is reported as slow.
    pub slow: Option<Duration>,
    /// A call that takes longer is ended.
    pub timeout: Option<Duration>,
    /// Runs on the blocking pool.
    pub blocking: bool,
    /// How many calls run at once.
    pub concurrency: Option<u32>,
    /// The scopes that the caller's identity must hold.
    pub scopes: &'static [&'static str],
    /// Whether calls are profiled.
    pub profile: bool,
    /// Whether the lists leave it out.
    pub hidden: bool,
    /// Whether it takes a `Ctx`.
    pub uses_ctx: bool,
    /// Whether it takes an `Identity`.
    pub uses_identity: bool,
    /// The shared values that it takes.
    pub needs: &'static [Need],
    /// Suggests values of its arguments, by argument name.
    pub complete: &'static [(&'static str, CompleteFn)],
    /// The schema of its arguments, or `None` where they are fixed by a URI.
    pub arguments: Option<SchemaFn>,
    /// The schema of its structured result.
    pub output: Option<fn() -> Option<Schema>>,
    /// Reads the arguments of a call.
    pub prepare: fn(Input<'_>) -> Result<Box<dyn Prepared>, ToolError>,
}

/// Generates the schema of a component's arguments.
pub type SchemaFn = fn(Contract) -> Schema;

/// Which side of serde a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// What is accepted.
    Deserialize,
    /// What is written, which the cache key is made of.
    Serialize,
}

fn schema<T: JsonSchema>(contract: Contract) -> Schema {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    let settings = match contract {
        Contract::Deserialize => settings.for_deserialize(),
        Contract::Serialize => settings.for_serialize(),
    };
    settings.into_generator().into_root_schema_for::<T>()
}

impl std::fmt::Debug for Def {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Def")
            .field("kind", &self.kind.word())
            .field("name", &self.name)
            .field("place", &self.place)
            .finish()
    }
}

impl Def {
    const fn new(
        kind: Kind,
        name: &'static str,
        description: &'static str,
        place: Place,
        prepare: fn(Input<'_>) -> Result<Box<dyn Prepared>, ToolError>,
    ) -> Self {
        Self {
            name,
            description,
            title: None,
            icons: None,
            meta: None,
            place,
            kind,
            cache: None,
            slow: None,
            timeout: None,
            blocking: false,
            concurrency: None,
            scopes: &[],
            profile: true,
            hidden: false,
            uses_ctx: false,
            uses_identity: false,
            needs: &[],
            complete: &[],
            arguments: None,
            output: None,
            prepare,
        }
    }

    /// Returns kind and name, which together are unique in a server: `tool/search`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.kind.word(), self.name)
    }

    /// Returns the tag that all cached results of this component carry.
    pub fn tag(&self) -> TagId {
        TagId::component(self.kind.word(), self.name)
    }
}

/// Declares the definition of one kind of component and its `const` setters.
macro_rules! definition {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[repr(transparent)]
        pub struct $name(pub(crate) Def);

        impl std::ops::Deref for $name {
            type Target = Def;

            fn deref(&self) -> &Def {
                &self.0
            }
        }

        #[doc(hidden)] // what the attributes write; see the fields of `Def` for the meaning
        #[allow(missing_docs)]
        impl $name {
            pub const fn title(mut self, title: &'static str) -> Self {
                self.0.title = Some(title);
                self
            }

            pub const fn icons(mut self, icons: fn() -> Vec<Icon>) -> Self {
                self.0.icons = Some(icons);
                self
            }

            pub const fn meta(mut self, meta: fn() -> serde_json::Value) -> Self {
                self.0.meta = Some(meta);
                self
            }

            pub const fn cache(mut self, policy: CachePolicy) -> Self {
                self.0.cache = Some(policy);
                self
            }

            pub const fn slow_ms(mut self, ms: u64) -> Self {
                self.0.slow = Some(Duration::from_millis(ms));
                self
            }

            pub const fn timeout_ms(mut self, ms: u64) -> Self {
                self.0.timeout = Some(Duration::from_millis(ms));
                self
            }

            pub const fn blocking(mut self) -> Self {
                self.0.blocking = true;
                self
            }

            pub const fn concurrency(mut self, calls: u32) -> Self {
                self.0.concurrency = Some(calls);
                self
            }

            pub const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
                self.0.scopes = scopes;
                self
            }

            pub const fn unprofiled(mut self) -> Self {
                self.0.profile = false;
                self
            }

            pub const fn hidden(mut self) -> Self {
                self.0.hidden = true;
                self
            }

            pub const fn uses_ctx(mut self) -> Self {
                self.0.uses_ctx = true;
                self
            }

            pub const fn uses_identity(mut self) -> Self {
                self.0.uses_identity = true;
                self
            }

            pub const fn needs(mut self, needs: &'static [Need]) -> Self {
                self.0.needs = needs;
                self
            }
        }
    };
}

definition! {
    /// What `#[tool]` emits.
    ToolDef
}

definition! {
    /// What `#[resource]` emits.
    ResourceDef
}

definition! {
    /// What `#[prompt]` emits.
    PromptDef
}

#[doc(hidden)]
#[allow(missing_docs)]
impl ToolDef {
    pub const fn new<C>(name: &'static str, description: &'static str, place: Place) -> Self
    where
        C: Component<Arguments: JsonSchema, Output: IntoToolOutput>,
    {
        const NO_HINTS: ToolPart = ToolPart {
            read_only: None,
            destructive: None,
            idempotent: None,
            open_world: None,
            background: None,
        };
        let mut def = Def::new(Kind::Tool(NO_HINTS), name, description, place, prepare_tool::<C>);
        def.arguments = Some(schema::<C::Arguments>);
        def.output = Some(<C::Output as IntoToolOutput>::output_schema);
        Self(def)
    }

    pub const fn read_only(self, yes: bool) -> Self {
        let mut part = self.part();
        part.read_only = Some(yes);
        self.with(part)
    }

    pub const fn destructive(self, yes: bool) -> Self {
        let mut part = self.part();
        part.destructive = Some(yes);
        self.with(part)
    }

    pub const fn idempotent(self, yes: bool) -> Self {
        let mut part = self.part();
        part.idempotent = Some(yes);
        self.with(part)
    }

    pub const fn open_world(self, yes: bool) -> Self {
        let mut part = self.part();
        part.open_world = Some(yes);
        self.with(part)
    }

    pub const fn background(self, background: Background) -> Self {
        let mut part = self.part();
        part.background = Some(background);
        self.with(part)
    }

    const fn part(&self) -> ToolPart {
        match self.0.kind {
            Kind::Tool(part) => part,
            _ => unreachable!(),
        }
    }

    const fn with(mut self, part: ToolPart) -> Self {
        self.0.kind = Kind::Tool(part);
        self
    }
}

#[doc(hidden)]
#[allow(missing_docs)]
impl ResourceDef {
    pub const fn new<C>(
        name: &'static str,
        description: &'static str,
        uri: &'static str,
        mime: Option<&'static str>,
        place: Place,
    ) -> Self
    where
        C: Component<Output: IntoResourceOutput>,
    {
        {
            let kind = Kind::Resource(ResourcePart { uri, mime, list: None });
            Self(Def::new(kind, name, description, place, prepare_resource::<C>))
        }
    }

    pub const fn list(mut self, list: ListFn) -> Self {
        if let Kind::Resource(mut part) = self.0.kind {
            part.list = Some(list);
            self.0.kind = Kind::Resource(part);
        }
        self
    }

    pub const fn complete(mut self, complete: &'static [(&'static str, CompleteFn)]) -> Self {
        self.0.complete = complete;
        self
    }
}

#[doc(hidden)]
#[allow(missing_docs)]
impl PromptDef {
    pub const fn new<C>(name: &'static str, description: &'static str, place: Place) -> Self
    where
        C: Component<Arguments: JsonSchema, Output: IntoPromptOutput>,
    {
        let mut def = Def::new(Kind::Prompt, name, description, place, prepare_prompt::<C>);
        def.arguments = Some(schema::<C::Arguments>);
        Self(def)
    }

    pub const fn complete(mut self, complete: &'static [(&'static str, CompleteFn)]) -> Self {
        self.0.complete = complete;
        self
    }
}
