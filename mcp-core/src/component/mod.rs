//! What an attribute makes of a function: data, and one way to call it.
//!
//! A [`Def`] is what a macro emits; [`Component`] is the function behind it; a call whose arguments have
//! been read is [`Prepared`].

mod call;
mod def;
mod known;
mod listed;
mod parts;

pub use call::{BoxFuture, Component, Prepared, Tags};
pub use def::{Contract, Def, PromptDef, ResourceDef, SchemaFn, ToolDef};
pub use known::{Argument, known_arguments};
pub use listed::{CompleteFn, Completing, ListFn, Listed};
pub use parts::{Background, Kind, Place, ResourcePart, ToolPart};

pub(crate) use call::ready;
pub(crate) use def::dialect;
