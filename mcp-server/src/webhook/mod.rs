//! Alerts by HTTP: what is worth a look is posted to `alert_webhook`.
//!
//! A thread of its own posts them, one after the other, and no call ever waits for it: what there is no room for
//! is dropped and counted.

mod target;

#[cfg(feature = "webhook")]
mod post;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use mcp_core::Config;
use mcp_core::profile::Profiler;

use crate::error::Error;

/// Says what is wrong with the address that the configuration names.
#[cfg(feature = "cli")]
pub(crate) fn refused(config: &Config) -> Option<String> {
    target::Target::new(config.alert_webhook.as_ref()?).err().map(|error| error.to_string())
}

/// Begins to post what a profiler tells of, where the configuration says so.
///
/// # Errors
///
/// Fails where the URL is none, or needs a feature that is missing.
pub(crate) fn install(
    config: &Config,
    server: &Arc<str>,
    profiler: &Profiler,
    unsent: &Arc<AtomicU64>,
) -> Result<(), Error> {
    let Some(url) = &config.alert_webhook else { return Ok(()) };
    let target = target::Target::new(url)?;
    #[cfg(feature = "webhook")]
    profiler.alert(Box::new(post::Webhook::new(target, Arc::clone(server), Arc::clone(unsent))?));
    #[cfg(not(feature = "webhook"))]
    let _ = (target, server, profiler, unsent);
    Ok(())
}
