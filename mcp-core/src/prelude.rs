//! What a file with components imports: `use mcp_core::prelude::*;`.

pub use crate::{
    Args, Cache, Completing, Components, Config, Content, Contents, Ctx, Dep, Elicited, Icon, Identity, Json,
    Listed, LogLevel, Message, Pooled, Role, Sample, ToolError, ToolOutput,
};
pub use crate::{prompt, provider, resource, schema, tool};

pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};
