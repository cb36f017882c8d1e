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
pub use crate::output::{IntoPromptOutput, IntoResourceOutput, IntoToolOutput};
pub use crate::place;
pub use crate::policy::{CachePolicy, Levels, RefreshAhead, Scope};
pub use crate::provider::{Building, Dep, Need, Provide, ProviderDef};
pub use crate::uri::{part as uri_part, reserved_part as uri_reserved_part};

pub use crate::handlers::{invalidate, invalidate_all, prime_prompt, prime_resource, prime_tool};

/// Returns the place of its call.
#[doc(hidden)]
#[macro_export]
macro_rules! place {
    () => {
        $crate::__private::Place::new(file!(), line!(), module_path!())
    };
}

/// Returns what `unless` looks at of a tool's result.
pub fn tool_success<T: IntoToolOutput>(output: &T) -> Option<&T::Success> {
    output.success()
}

/// Returns what `unless` looks at of a resource's content.
pub fn resource_success<T: IntoResourceOutput>(output: &T) -> Option<&T::Success> {
    output.success()
}

/// Returns what `unless` looks at of a prompt's messages.
pub fn prompt_success<T: IntoPromptOutput>(output: &T) -> Option<&T::Success> {
    output.success()
}
