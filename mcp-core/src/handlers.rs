//! The small functions beside a component: `list = path`, `complete(parameter = path)`, `name::invalidate`.

use crate::cache::Cache;
use crate::component::{BoxFuture, Completing, Component, Def, Kind, Listed, ready};
use crate::ctx::Ctx;
use crate::error::ToolError;
use crate::identity::Identity;
use crate::invocation::Invocation;
use crate::keying;
use crate::output::{
    IntoPromptOutput, IntoResourceOutput, IntoToolOutput, Reply, prompt_reply, resource_reply, tool_reply,
};
use crate::provider::Dep;

/// What a function beside a component may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned here",
    note = "return `Vec<Listed>` from a `list` function, `Vec<String>` from a `complete` function, or `Result` of it with `ToolError`"
)]
pub trait IntoList<T> {
    /// Turns the value into the list.
    ///
    /// # Errors
    ///
    /// The error that the function returned.
    fn into_list(self) -> Result<Vec<T>, ToolError>;
}

impl<T> IntoList<T> for Vec<T> {
    fn into_list(self) -> Result<Self, ToolError> {
        Ok(self)
    }
}

impl IntoList<String> for Vec<&'static str> {
    fn into_list(self) -> Result<Vec<String>, ToolError> {
        Ok(self.into_iter().map(str::to_owned).collect())
    }
}

impl<T, L: IntoList<T>, E: Into<ToolError>> IntoList<T> for Result<L, E> {
    fn into_list(self) -> Result<Vec<T>, ToolError> {
        self.map_err(Into::into)?.into_list()
    }
}

/// What a function beside a component may take: a shared value, the caller, the request.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be taken here",
    note = "take a `Dep<_>`, an `Identity` or a `Ctx`"
)]
pub trait Injected: Sized + Send + 'static {
    /// Takes it from the run.
    fn injected(cx: &Invocation) -> impl Future<Output = Result<Self, ToolError>> + Send;
}

impl<T: Send + Sync + 'static> Injected for Dep<T> {
    async fn injected(cx: &Invocation) -> Result<Self, ToolError> {
        cx.dep().await
    }
}

impl Injected for Identity {
    async fn injected(cx: &Invocation) -> Result<Self, ToolError> {
        Ok(cx.identity())
    }
}

impl Injected for Ctx {
    async fn injected(cx: &Invocation) -> Result<Self, ToolError> {
        Ok(cx.ctx())
    }
}

/// A function that takes `First` (or nothing) and up to two injected values, and returns a list.
///
/// `Marker` tells the shapes of functions apart; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no function for this key",
    note = "a `list` function takes up to two of `Dep<_>`, `Identity` and `Ctx`; a `complete` function takes `&str`, `String` or `Completing` and then up to two of them; either may be async, but for one that takes `&str`"
)]
pub trait ListFunction<First, T, Marker>: Send + 'static {
    /// Calls the function.
    fn list(
        self,
        first: First,
        cx: Invocation,
    ) -> impl Future<Output = Result<Vec<T>, ToolError>> + Send + 'static;
}

macro_rules! list_function {
    ($($marker:ident: ($($first:ty)?) $value:ident $given:ident => [$($argument:expr)?], ($($dep:ident),*), $($await:ident)?;)+) => {
        $(
            #[doc(hidden)]
            pub enum $marker {}

            list_function!(@impl $marker, ($($first)?), $value, $given, [$($argument)?], ($($dep),*), $($await)?);
        )+
    };
    (@impl $marker:ident, ($($first:ty)?), $value:ident, $given:ident, [$($argument:expr)?], ($($dep:ident),*), Await) => {
        impl<F, R, T, $($dep,)*> ListFunction<$value, T, ($marker, R, $($dep,)*)> for F
        where
            F: FnOnce($($first,)? $($dep),*) -> R + Send + 'static,
            R: Future<Output: IntoList<T> + Send> + Send + 'static,
            T: Send + 'static,
            $($dep: Injected,)*
        {
            #[allow(unused_variables, non_snake_case)]
            async fn list(self, $given: $value, cx: Invocation) -> Result<Vec<T>, ToolError> {
                $(let $dep = $dep::injected(&cx).await?;)*
                self($($argument,)? $($dep),*).await.into_list()
            }
        }
    };
    (@impl $marker:ident, ($($first:ty)?), $value:ident, $given:ident, [$($argument:expr)?], ($($dep:ident),*),) => {
        impl<F, R, T, $($dep,)*> ListFunction<$value, T, ($marker, R, $($dep,)*)> for F
        where
            F: FnOnce($($first,)? $($dep),*) -> R + Send + 'static,
            R: IntoList<T> + 'static,
            T: Send + 'static,
            $($dep: Injected,)*
        {
            #[allow(unused_variables, non_snake_case)]
            async fn list(self, $given: $value, cx: Invocation) -> Result<Vec<T>, ToolError> {
                $(let $dep = $dep::injected(&cx).await?;)*
                self($($argument,)? $($dep),*).into_list()
            }
        }
    };
}

type Nothing = ();

list_function! {
    List0: () Nothing given => [], (), ;
    List1: () Nothing given => [], (A), ;
    List2: () Nothing given => [], (A, B), ;
    AsyncList0: () Nothing given => [], (), Await;
    AsyncList1: () Nothing given => [], (A), Await;
    AsyncList2: () Nothing given => [], (A, B), Await;
    Str0: (&str) Completing given => [&given.value], (), ;
    Str1: (&str) Completing given => [&given.value], (A), ;
    Str2: (&str) Completing given => [&given.value], (A, B), ;
    Text0: (String) Completing given => [given.value], (), ;
    Text1: (String) Completing given => [given.value], (A), ;
    Text2: (String) Completing given => [given.value], (A, B), ;
    AsyncText0: (String) Completing given => [given.value], (), Await;
    AsyncText1: (String) Completing given => [given.value], (A), Await;
    AsyncText2: (String) Completing given => [given.value], (A, B), Await;
    Whole0: (Completing) Completing given => [given], (), ;
    Whole1: (Completing) Completing given => [given], (A), ;
    Whole2: (Completing) Completing given => [given], (A, B), ;
    AsyncWhole0: (Completing) Completing given => [given], (), Await;
    AsyncWhole1: (Completing) Completing given => [given], (A), Await;
    AsyncWhole2: (Completing) Completing given => [given], (A, B), Await;
}

/// Calls the function of `list = path`.
pub fn listing<M>(
    cx: Invocation,
    function: impl ListFunction<(), Listed, M>,
) -> BoxFuture<'static, Result<Vec<Listed>, ToolError>> {
    Box::pin(function.list((), cx))
}

/// Calls the function of `complete(parameter = path)`.
pub fn completing<M>(
    request: Completing,
    cx: Invocation,
    function: impl ListFunction<Completing, String, M>,
) -> BoxFuture<'static, Result<Vec<String>, ToolError>> {
    Box::pin(function.list(request, cx))
}

/// Makes the cached results for some arguments invalid, whoever they were for.
pub async fn invalidate<C: Component>(cache: &Cache, def: &Def, arguments: C::Arguments) {
    let prepared = ready::<C>(arguments, |_, _, _| Err(ToolError::new("only its key is wanted")));
    // Arguments without a key were never cached.
    if let Some(tag) = keying::arguments_tag(def, keying::root(def, cache), &prepared) {
        cache.invalidate_everywhere(&[tag]).await;
    }
}

/// Makes all cached results of a component invalid.
pub async fn invalidate_all(cache: &Cache, def: &Def) {
    cache.invalidate_everywhere(&[def.tag()]).await;
}

/// Stores a tool's result as if it had been computed now: for everybody where the scope is public,
/// for the anonymous caller elsewhere.
///
/// # Errors
///
/// Fails with the error that `result` is.
pub async fn prime_tool<C>(
    cache: &Cache,
    def: &Def,
    arguments: C::Arguments,
    result: C::Output,
) -> Result<(), ToolError>
where
    C: Component<Output: IntoToolOutput>,
{
    prime::<C>(cache, def, arguments, tool_reply(result, false, None)?).await
}

/// Stores a prompt's messages as if they had been computed now; see [`prime_tool`].
///
/// # Errors
///
/// As [`prime_tool`].
pub async fn prime_prompt<C>(
    cache: &Cache,
    def: &Def,
    arguments: C::Arguments,
    result: C::Output,
) -> Result<(), ToolError>
where
    C: Component<Output: IntoPromptOutput>,
{
    prime::<C>(cache, def, arguments, prompt_reply(result, false, None)?).await
}

/// Stores a resource's content as if it had been read now; see [`prime_tool`].
///
/// # Errors
///
/// As [`prime_tool`].
pub async fn prime_resource<C>(
    cache: &Cache,
    def: &Def,
    arguments: C::Arguments,
    result: C::Output,
) -> Result<(), ToolError>
where
    C: Component<Output: IntoResourceOutput>,
{
    let mime = match def.kind {
        Kind::Resource(part) => part.mime,
        _ => None,
    };
    prime::<C>(cache, def, arguments, resource_reply(result, false, mime)?).await
}

async fn prime<C: Component>(
    cache: &Cache,
    def: &Def,
    arguments: C::Arguments,
    reply: Reply,
) -> Result<(), ToolError> {
    let prepared = ready::<C>(arguments, |_, _, _| Err(ToolError::new("only its key is wanted")));
    let keyed = keying::keyed(def, keying::root(def, cache), &prepared, &Identity::anonymous());
    if let Some(keyed) = keyed.filter(|_| reply.store) {
        cache.prime_everywhere(&keyed.lookup(def, &prepared, None), reply.body).await;
    }
    Ok(())
}
