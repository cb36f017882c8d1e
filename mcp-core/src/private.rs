//! What the attributes write calls into; no part of the public interface.

pub use linkme;
pub use schemars;
pub use serde;
pub use serde_json;

pub use std::format;

pub use crate::__register as register;
pub use crate::cache::{Cache, KeyWriter};
pub use crate::component::{
    Background, BoxFuture, CompleteFn, Completing, Component, Listed, Place, PromptDef, ResourceDef, Tags,
    ToolDef,
};
pub use crate::config::Config;
pub use crate::content::Icon;
pub use crate::error::ToolError;
pub use crate::handlers::{completing, listing};
pub use crate::invocation::Invocation;
pub use crate::link::{Item, MCP_CORE_ITEMS};
pub use crate::output::{IntoPromptOutput, IntoResourceOutput, IntoToolOutput, Reply};
pub use crate::place;
pub use crate::policy::{CachePolicy, Levels, RefreshAhead, Scope};
pub use crate::provider::{Building, Dep, Need, Provide, ProviderDef};
pub use crate::uri::{part as uri_part, reserved_part as uri_reserved_part};

pub use crate::handlers::{invalidate, invalidate_all, prime_prompt, prime_resource, prime_tool};

use crate::output;

/// Returns the place of its call.
#[doc(hidden)]
#[macro_export]
macro_rules! place {
    () => {
        $crate::__private::Place::new(file!(), line!(), module_path!())
    };
}

/// Turns what a tool returned into its reply.
pub fn tool_reply<T: IntoToolOutput>(value: T) -> Result<Reply, ToolError> {
    output::tool_reply(value, |_| false)
}

/// Turns what a tool returned into its reply; `unless` keeps it out of the cache.
pub fn tool_reply_unless<T: IntoToolOutput>(
    value: T,
    unless: impl FnOnce(&T::Success) -> bool,
) -> Result<Reply, ToolError> {
    output::tool_reply(value, unless)
}

/// Turns what a resource returned into its reply.
pub fn resource_reply<T: IntoResourceOutput>(value: T, cx: &Invocation) -> Result<Reply, ToolError> {
    resource_reply_unless(value, cx, |_| false)
}

/// Turns what a resource returned into its reply; `unless` keeps it out of the cache.
pub fn resource_reply_unless<T: IntoResourceOutput>(
    value: T,
    cx: &Invocation,
    unless: impl FnOnce(&T::Success) -> bool,
) -> Result<Reply, ToolError> {
    output::resource_reply(value, cx.mime(), unless)
}

/// Turns what a prompt returned into its reply.
pub fn prompt_reply<T: IntoPromptOutput>(value: T) -> Result<Reply, ToolError> {
    output::prompt_reply(value, |_| false)
}

/// Turns what a prompt returned into its reply; `unless` keeps it out of the cache.
pub fn prompt_reply_unless<T: IntoPromptOutput>(
    value: T,
    unless: impl FnOnce(&T::Success) -> bool,
) -> Result<Reply, ToolError> {
    output::prompt_reply(value, unless)
}
