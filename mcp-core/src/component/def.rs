//! What a macro emits for one function: read-only data, built in a `static`.

use std::time::Duration;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use super::call::{Component, Prepared, prepare_prompt, prepare_resource, prepare_tool};
use super::listed::{CompleteFn, ListFn};
use super::parts::{Background, Kind, Place, ResourcePart, ToolPart};
use crate::arguments::Input;
use crate::cache::TagId;
use crate::content::Icon;
use crate::error::ToolError;
use crate::output::{IntoPromptOutput, IntoResourceOutput, IntoToolOutput};
use crate::policy::CachePolicy;
use crate::provider::Need;

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

/// Returns how schemas are written: in JSON Schema 2020-12, which is what no `$schema` means (MCP 2025-11-25,
/// "JSON Schema Usage"). Validators of clients have refused tools for the dialect being named.
pub(crate) fn dialect() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.meta_schema = None)
}

fn schema<T: JsonSchema>(contract: Contract) -> Schema {
    let settings = dialect();
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
