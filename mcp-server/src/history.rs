//! The history of what was measured, kept in Redis where there is one.

use std::sync::{Arc, Weak};
use std::time::Duration;

use mcp_core::Config;
use mcp_core::profile::history::History;
use mcp_core::profile::unix_ms;

use crate::error::Error;
use crate::started::Core;

/// How often it is written.
const EVERY: Duration = Duration::from_secs(10);

/// Names the Redis of the configuration, where it names one; nothing is connected yet.
pub(crate) fn configured(core: &Core) -> Result<Option<History>, Error> {
    of(&core.dispatch.config, &core.name)
}

/// The same of a server that has not started.
pub(crate) fn of(config: &Config, name: &str) -> Result<Option<History>, Error> {
    let Some(url) = config.redis_url.as_ref().filter(|_| config.monitoring_enabled) else { return Ok(None) };
    let application = config.cache_application.as_deref().unwrap_or(name);
    History::open(url, application).map(Some).map_err(|error| Error::start(format!("`redis_url`: {error}")))
}

/// Writes it from now on, until the server stops: see [`write_last`].
pub(crate) fn keep(core: &Arc<Core>) {
    match configured(core) {
        Ok(Some(history)) => {
            let history = core.history.get_or_init(|| Arc::new(history));
            tokio::spawn(keeping(Arc::downgrade(core), Arc::clone(history), core.stopping.clone()));
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "no history is kept"),
    }
}

async fn keeping(core: Weak<Core>, history: Arc<History>, stopping: tokio_util::sync::CancellationToken) {
    let mut up = true;
    while stopping.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        // Not the server: it may end meanwhile.
        let Some(profiler) = core.upgrade().map(|core| Arc::clone(&core.dispatch.profiler)) else { return };
        let written = history.write(&profiler, unix_ms()).await;
        if let Err(error) = &written
            && up
        {
            tracing::warn!(%error, "the history of what is measured cannot be kept for now");
        }
        up = written.is_ok();
    }
}

/// Writes what came last, before the process ends.
#[cfg(feature = "cli")]
pub(crate) async fn write_last(core: &Core) {
    if let Some(history) = core.history.get()
        && let Err(error) = history.write(&core.dispatch.profiler, unix_ms()).await
    {
        tracing::warn!(%error, "the last seconds are not in the history");
    }
}
