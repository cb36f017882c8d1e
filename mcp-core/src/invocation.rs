//! What a run of a component is given beside its arguments.

use std::any::Any;
use std::sync::Arc;

use crate::ctx::Ctx;
use crate::error::ToolError;
use crate::identity::Identity;
use crate::profile::{self, Frame};
use crate::provider::{Dep, Pooled, Providers};

/// One run of a component: the request and the shared values.
#[derive(Clone)]
pub struct Invocation {
    identity: Identity,
    ctx: Option<Ctx>,
    providers: Providers,
    mime: Option<&'static str>,
    held: Option<Arc<dyn Any + Send + Sync>>,
}

impl Invocation {
    /// Creates the run of a component that takes no [`Ctx`].
    pub fn new(identity: Identity, providers: Providers) -> Self {
        Self { identity, ctx: None, providers, mime: None, held: None }
    }

    /// Sets the request, for a function that takes it.
    #[must_use]
    pub fn with_ctx(mut self, ctx: Option<Ctx>) -> Self {
        self.ctx = ctx;
        self
    }

    /// Sets the media type that a resource's attribute names.
    #[must_use]
    pub fn with_mime(mut self, mime: Option<&'static str>) -> Self {
        self.mime = mime;
        self
    }

    /// Returns the request; [detached](Ctx::detached) where there is none.
    pub fn ctx(&self) -> Ctx {
        self.ctx.clone().unwrap_or_else(Ctx::detached)
    }

    /// Returns who calls.
    pub fn identity(&self) -> Identity {
        self.identity.clone()
    }

    /// Returns a shared value.
    ///
    /// # Errors
    ///
    /// Fails with the error of the provider.
    pub async fn dep<T: Send + Sync + 'static>(&self) -> Result<Dep<T>, ToolError> {
        self.providers.dep().await
    }

    /// Returns a value out of a pool.
    ///
    /// # Errors
    ///
    /// Always fails in this version, which refuses components that take one at the start.
    #[expect(clippy::unused_async, reason = "a pool waits for a free value")]
    pub async fn pooled<T: Send + Sync + 'static>(&self) -> Result<Pooled<T>, ToolError> {
        Err(ToolError::new("pools are not in this version"))
    }

    /// Runs a function that blocks, on the pool of threads for such.
    ///
    /// # Errors
    ///
    /// Fails where the runtime is shutting down. A panic goes on in the caller.
    pub async fn blocking<T: Send + 'static>(
        &self,
        run: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ToolError> {
        // A thread cannot be called back: what the run holds, it holds until the function returns.
        let held = self.held.clone();
        let frame = Frame::current();
        let run = move || {
            let value = profile::blocking(frame, run);
            drop(held);
            value
        };
        match tokio::task::spawn_blocking(run).await {
            Ok(value) => Ok(value),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets what is to be dropped when the function has ended, however it ends.
    #[must_use]
    pub fn holding(mut self, held: Arc<dyn Any + Send + Sync>) -> Self {
        self.held = Some(held);
        self
    }

    pub(crate) fn mime(&self) -> Option<&'static str> {
        self.mime
    }
}
