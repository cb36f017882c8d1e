//! Components of a running server, switched on and off.

use std::sync::{Arc, PoisonError, RwLock};

use crate::component::Kind;
use crate::registry::Registry;

/// Switches components of a running server on and off, by name.
///
/// Taken by a component as `components: Dep<Components>`. What is off is in no list and cannot be
/// called, and clients are told that the list has changed.
#[derive(Clone)]
pub struct Components {
    registry: Arc<Registry>,
    observer: Arc<RwLock<Option<ListObserver>>>,
}

/// Is told which list changed; must not wait.
pub type ListObserver = Box<dyn Fn(&Kind) + Send + Sync>;

impl Components {
    /// Makes the switch of a registry.
    pub fn new(registry: Arc<Registry>) -> Self {
        Self { registry, observer: Arc::default() }
    }

    /// Sets who is told of changes.
    pub fn on_change(&self, observer: ListObserver) {
        *self.observer.write().unwrap_or_else(PoisonError::into_inner) = Some(observer);
    }

    /// Switches a component on or off; returns whether there is one.
    ///
    /// A tool comes before a resource, and a resource before a prompt of the same name.
    pub fn enable(&self, name: &str, on: bool) -> bool {
        let Some(entry) = self.registry.by_name(name) else { return false };
        if self.registry.switch(entry, on)
            && let Some(observer) = &*self.observer.read().unwrap_or_else(PoisonError::into_inner)
        {
            observer(&entry.def.kind);
        }
        true
    }
}

impl std::fmt::Debug for Components {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Components").field("registry", &self.registry).finish_non_exhaustive()
    }
}
