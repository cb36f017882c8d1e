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

#[cfg(test)]
mod tests {
    use crate::Server;
    use mcp_core::prelude::*;

    use super::*;

    /// How long an hour is, in milliseconds.
    const HOUR: u64 = 3_600_000;

    /// Adds two numbers.
    #[tool]
    fn added(a: u64, b: u64) -> u64 {
        a + b
    }

    #[tokio::test]
    async fn hours_that_are_lost_are_told() {
        let mut config = Config::default();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        config.redis_url = Some(format!("redis://127.0.0.1:{port}"));
        let server = Server::builder().config(config).tool(added::def());
        let core = server.core().unwrap();
        let history = Arc::new(configured(core).unwrap().unwrap());
        assert!(core.history.set(Arc::clone(&history)).is_ok());
        for hour in 0..4 {
            assert_eq!(core.report().dropped.history, 0, "{hour}");
            server.call_tool("added", serde_json::json!({ "a": 1, "b": hour })).await.unwrap();
            history.write(&core.dispatch.profiler, hour * HOUR).await.unwrap_err();
        }
        assert_eq!(core.report().dropped.history, 1);
        #[cfg(feature = "http")]
        {
            use crate::metrics::{Exposition, Format};

            let text = Exposition::new(&Arc::downgrade(core)).write(Format::Text).unwrap();
            assert!(text.contains("mcp_profiler_dropped_total{what=\"history\"} 1\n"), "{text}");
        }
    }
}
