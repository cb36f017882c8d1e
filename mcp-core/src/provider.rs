//! Values that components share: built once, on first use or at the start.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::cache::Cache;
use crate::component::{BoxFuture, Place};
use crate::components::Components;
use crate::config::Config;
use crate::error::ToolError;
use crate::profile::Profiler;

/// A shared value from the `#[provider]` of its type.
///
/// # Examples
///
/// ```
/// use mcp_core::Dep;
///
/// fn first(words: Dep<Vec<String>>) -> String {
///     words[0].clone()
/// }
///
/// // A test makes one by hand:
/// assert_eq!(first(Dep::new(vec!["one".to_owned()])), "one");
/// ```
#[derive(Debug)]
pub struct Dep<T>(Arc<T>);

impl<T> Dep<T> {
    /// Shares a value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Clone for Dep<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Dep<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> From<Arc<T>> for Dep<T> {
    fn from(value: Arc<T>) -> Self {
        Self(value)
    }
}

/// One value out of a provider's pool.
#[derive(Debug)]
pub struct Pooled<T>(T);

impl<T> Pooled<T> {
    /// Wraps a value, for unit tests of a function that takes one.
    pub fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Pooled<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Pooled<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A shared value that a component takes, by its type.
#[derive(Clone, Copy)]
pub struct Need {
    id: fn() -> TypeId,
    type_name: fn() -> &'static str,
    pooled: bool,
}

#[doc(hidden)]
#[allow(missing_docs)]
impl Need {
    pub const fn dep<T: 'static>() -> Self {
        Self { id: TypeId::of::<T>, type_name: std::any::type_name::<T>, pooled: false }
    }

    pub const fn pooled<T: 'static>() -> Self {
        Self { id: TypeId::of::<T>, type_name: std::any::type_name::<T>, pooled: true }
    }

    pub fn type_name(&self) -> &'static str {
        (self.type_name)()
    }

    pub fn is_pooled(&self) -> bool {
        self.pooled
    }
}

impl std::fmt::Debug for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.type_name())
    }
}

type Shared = Arc<dyn Any + Send + Sync>;

/// What `#[provider]` emits.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ProviderDef {
    /// The name of the function.
    pub name: &'static str,
    /// Where it is declared.
    pub place: Place,
    /// The type that it provides.
    pub provides: Need,
    /// The shared values that it takes itself.
    pub needs: &'static [Need],
    /// Whether the value is built at the start.
    pub preload: bool,
    /// How many values the pool holds.
    pub pool: Option<u32>,
    build: fn(Building) -> BoxFuture<'static, Result<Shared, ToolError>>,
}

#[doc(hidden)]
#[allow(missing_docs)]
impl ProviderDef {
    pub const fn new<P: Provide>(name: &'static str, place: Place) -> Self {
        Self {
            name,
            place,
            provides: Need::dep::<P::Value>(),
            needs: &[],
            preload: false,
            pool: None,
            build: |cx| {
                Box::pin(async move {
                    let value: Shared = Arc::new(P::provide(cx).await?);
                    Ok(value)
                })
            },
        }
    }

    pub const fn preload(mut self) -> Self {
        self.preload = true;
        self
    }

    pub const fn pool(mut self, size: u32) -> Self {
        self.pool = Some(size);
        self
    }

    pub const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }
}

/// A function under `#[provider]`; the attribute implements it.
pub trait Provide: 'static {
    /// The type that it provides.
    type Value: Send + Sync + 'static;

    /// Builds the value.
    fn provide(cx: Building) -> impl Future<Output = Result<Self::Value, ToolError>> + Send + 'static;
}

/// What a provider is built from.
#[derive(Clone)]
pub struct Building(Providers);

impl Building {
    /// Returns the configuration of the server.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.0.0.config)
    }

    /// Returns another shared value.
    ///
    /// # Errors
    ///
    /// Fails where that value cannot be built.
    pub async fn dep<T: Send + Sync + 'static>(&self) -> Result<Dep<T>, ToolError> {
        self.0.dep().await
    }
}

/// The shared values of one server.
#[derive(Clone)]
pub struct Providers(Arc<Table>);

struct Table {
    config: Arc<Config>,
    slots: HashMap<TypeId, Slot>,
}

struct Slot {
    name: &'static str,
    def: Option<&'static ProviderDef>,
    value: OnceCell<Shared>,
}

impl Providers {
    /// Creates the shared values of a server; nothing is built yet.
    ///
    /// # Errors
    ///
    /// Fails, naming the places, where two providers have one type, where a component or a provider
    /// takes a type that no provider has, and where providers need each other in a circle.
    pub fn new<'a>(
        defs: &[&'static ProviderDef],
        config: Arc<Config>,
        cache: Cache,
        components: Components,
        profiler: Arc<Profiler>,
        wanted: impl Iterator<Item = (&'a str, Place, &'static [Need])>,
    ) -> Result<Self, String> {
        let mut slots = HashMap::new();
        let ready = |name, value: Shared| Slot { name, def: None, value: OnceCell::new_with(Some(value)) };
        // What a component does not see, it cannot tell.
        let config = Arc::new(Config { auth_tokens: Vec::new(), ..(*config).clone() });
        slots.insert(TypeId::of::<Config>(), ready("Config", Arc::clone(&config) as Shared));
        slots.insert(TypeId::of::<Cache>(), ready("Cache", Arc::new(cache)));
        slots.insert(TypeId::of::<Components>(), ready("Components", Arc::new(components)));
        slots.insert(TypeId::of::<Profiler>(), ready("Profiler", profiler));
        for def in defs {
            let slot = Slot { name: def.name, def: Some(def), value: OnceCell::new() };
            if let Some(other) = slots.insert((def.provides.id)(), slot) {
                let other =
                    other.def.map_or_else(|| "the server".to_owned(), |other| other.place.to_string());
                return Err(format!(
                    "two providers of `{}`: {other} and {}; remove one, or wrap its value in a type of its own",
                    def.provides.type_name(),
                    def.place
                ));
            }
        }
        let own = defs.iter().map(|def| (def.name, def.place, def.needs));
        for (name, place, needs) in wanted.chain(own) {
            if let Some(missing) = needs.iter().find(|need| !slots.contains_key(&(need.id)())) {
                return Err(format!(
                    "`{name}` ({place}) takes a `{missing:?}`, and no provider makes one: write \
                     `#[provider] fn .. -> {missing:?}`",
                ));
            }
        }
        let providers = Self(Arc::new(Table { config, slots }));
        providers.refuse_circles(defs)?;
        Ok(providers)
    }

    fn refuse_circles(&self, defs: &[&'static ProviderDef]) -> Result<(), String> {
        fn visit(
            table: &Table,
            def: &'static ProviderDef,
            path: &mut Vec<&'static ProviderDef>,
            done: &mut Vec<TypeId>,
        ) -> Result<(), String> {
            if path.iter().any(|above| (above.provides.id)() == (def.provides.id)()) {
                let names = path.iter().chain([&def]).map(|def| format!("`{}` ({})", def.name, def.place));
                let names = names.collect::<Vec<_>>().join(" -> ");
                return Err(format!("providers need each other in a circle: {names}"));
            }
            if done.contains(&(def.provides.id)()) {
                return Ok(());
            }
            path.push(def);
            for need in def.needs {
                if let Some(next) = table.slots.get(&(need.id)()).and_then(|slot| slot.def) {
                    visit(table, next, path, done)?;
                }
            }
            path.pop();
            done.push((def.provides.id)());
            Ok(())
        }

        let mut done = Vec::new();
        defs.iter().try_for_each(|def| visit(&self.0, def, &mut Vec::new(), &mut done))
    }

    /// Returns the shared value of a type; builds it where this is the first use.
    ///
    /// Callers that come while it is being built wait for that one. A failure is not kept: the next
    /// call tries again.
    ///
    /// # Errors
    ///
    /// Fails with the error of the provider.
    pub async fn dep<T: Send + Sync + 'static>(&self) -> Result<Dep<T>, ToolError> {
        let value = self.value(TypeId::of::<T>(), std::any::type_name::<T>()).await?;
        match value.downcast::<T>() {
            Ok(value) => Ok(Dep(value)),
            Err(_) => Err(ToolError::new(format!("no provider makes a `{}`", std::any::type_name::<T>()))),
        }
    }

    async fn value(&self, id: TypeId, type_name: &str) -> Result<Shared, ToolError> {
        let slot = self.0.slots.get(&id);
        let slot = slot.ok_or_else(|| ToolError::new(format!("no provider makes a `{type_name}`")))?;
        let build = || async {
            match slot.def {
                Some(def) => (def.build)(Building(self.clone())).await,
                None => Err(ToolError::new(format!("`{}` is not built yet", slot.name))),
            }
        };
        slot.value.get_or_try_init(build).await.cloned()
    }

    /// Builds the values that are wanted at the start: those marked `preload`, or all.
    ///
    /// # Errors
    ///
    /// Fails with the name and the place of the first provider that fails.
    pub async fn preload(&self, all: bool) -> Result<(), String> {
        for (id, slot) in &self.0.slots {
            let Some(def) = slot.def else { continue };
            if all || def.preload {
                self.value(*id, def.provides.type_name()).await.map_err(|error| {
                    format!("provider `{}` ({}): {}", def.name, def.place, error.message())
                })?;
            }
        }
        Ok(())
    }
}
