//! Components of MCP servers, and what happens when one is called.
//!
//! A crate that only declares tools, resources and prompts depends on this one; a server depends on
//! `mcp-server`, which re-exports it. In reading order:
//!
//! - what the attributes make of a function: [`component`], [`policy`], [`output`], [`content`],
//! - what a function is given: [`arguments`], [`Ctx`], [`Identity`], [`mod@provider`],
//! - what a server keeps: [`registry`], [`cache`], [`profile`], [`config`].
//!
//! Nothing here knows the protocol's messages: a result is neutral bytes, and the way back to the
//! client is a trait.

#[allow(unused_extern_crates, reason = "the attributes write paths from the root of the crate")]
extern crate self as mcp_core;

pub mod component;
pub mod policy;

pub mod content;
pub mod error;
pub mod output;

pub mod arguments;
pub mod ask;
pub mod ctx;
pub mod handlers;
pub mod identity;
pub mod invocation;
pub mod provider;
pub mod uri;

pub mod cache;
pub mod clock;
pub mod components;
pub mod config;
pub mod keying;
pub mod link;
pub mod pace;
pub mod places;
pub mod profile;
pub mod registry;
pub mod units;

mod json;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub mod prelude;

pub use arguments::Args;
pub use cache::Cache;
pub use component::{Completing, Listed, PromptDef, ResourceDef, ToolDef};
pub use components::{Components, ListObserver};
pub use config::Config;
pub use content::{Content, Contents, Icon, Message, Role};
pub use ctx::{Ctx, Elicited, LogLevel, Root, Sample, Sampled};
pub use error::{ErrorKind, Failure, ToolError};
pub use identity::Identity;
pub use output::{Json, ToolOutput};
pub use policy::Scope;
pub use provider::{Dep, Pooled, ProviderDef};

#[doc = include_str!("docs/prompt.md")]
pub use mcp_macros::prompt;
#[doc = include_str!("docs/provider.md")]
pub use mcp_macros::provider;
#[doc = include_str!("docs/resource.md")]
pub use mcp_macros::resource;
#[doc = include_str!("docs/schema.md")]
pub use mcp_macros::schema;
#[doc = include_str!("docs/tool.md")]
pub use mcp_macros::tool;
