//! How a component is called: arguments read first, the function run later, if at all.

use std::future::Future;
use std::pin::Pin;

use serde::de::DeserializeOwned;

use super::def::Def;
use crate::arguments::{self, Input};
use crate::cache::{Cache, KeyWriter, TagId};
use crate::error::ToolError;
use crate::invocation::Invocation;
use crate::output::{self, IntoPromptOutput, IntoResourceOutput, IntoToolOutput, Reply};
use crate::profile::Frame;

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
    resources: Vec<String>,
}

impl Tags {
    /// Adds a tag.
    pub fn tag(&mut self, tag: &str) {
        self.ids.push(TagId::tag(tag));
    }

    /// Adds a resource by its URI.
    pub fn resource(&mut self, uri: impl AsRef<str>) {
        self.resources.push(uri.as_ref().to_owned());
    }

    /// Adds everything that a component has cached.
    pub fn component(&mut self, def: &Def) {
        self.ids.push(def.tag());
    }

    /// Returns the tags of a result, which names no resources.
    pub(crate) fn into_ids(self) -> Vec<TagId> {
        self.ids
    }

    /// Returns the tags as the cache knows them.
    pub fn resolve(self, cache: &Cache) -> Vec<TagId> {
        let Self { mut ids, resources } = self;
        ids.extend(resources.iter().flat_map(|uri| cache.resource_tags(uri)));
        ids
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
            Frame::returned();
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

pub(super) fn prepare_tool<C: Component<Output: IntoToolOutput>>(
    input: Input<'_>,
) -> Result<Box<dyn Prepared>, ToolError> {
    read::<C>(input, output::tool_reply)
}

pub(super) fn prepare_resource<C: Component<Output: IntoResourceOutput>>(
    input: Input<'_>,
) -> Result<Box<dyn Prepared>, ToolError> {
    read::<C>(input, output::resource_reply)
}

pub(super) fn prepare_prompt<C: Component<Output: IntoPromptOutput>>(
    input: Input<'_>,
) -> Result<Box<dyn Prepared>, ToolError> {
    read::<C>(input, output::prompt_reply)
}
