//! Posting, in a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use mcp_core::profile::{Alert, Sink};
use serde_json::json;
use ureq::Agent;

use super::target::Target;
use crate::error::Error;

/// How many alerts wait at most.
const WAITING: usize = 64;

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// After how long it is tried once more.
const AGAIN: Duration = Duration::from_secs(5);

/// Hands alerts to the thread that posts them.
pub(super) struct Webhook {
    server: Arc<str>,
    queue: SyncSender<String>,
    unsent: Arc<AtomicU64>,
}

impl Webhook {
    pub(super) fn new(target: Target, server: Arc<str>, unsent: Arc<AtomicU64>) -> Result<Self, Error> {
        let (queue, alerts) = sync_channel(WAITING);
        let lost = Arc::clone(&unsent);
        let thread = std::thread::Builder::new().name("mcp-webhook".to_owned());
        thread
            .spawn(move || post_all(&target, &alerts, &lost))
            .map_err(|error| Error::start(format!("no thread for `alert_webhook`: {error}")))?;
        Ok(Self { server, queue, unsent })
    }
}

impl Sink for Webhook {
    fn alert(&self, alert: &Alert, suppressed: u64) {
        let call = &alert.call;
        let message = json!({
            "server": &*self.server,
            "component": format!("{} {}", call.kind, call.name),
            "why": call.why,
            "outcome": call.outcome,
            "wall_ns": call.wall_ns,
            "place": call.place,
            "found": alert.found,
            "suppressed": suppressed,
            "id": call.id,
            "at_ms": call.at_ms,
        });
        if self.queue.try_send(message.to_string()).is_err() {
            self.unsent.fetch_add(1, Relaxed);
        }
    }
}

/// Posts alerts until there is nobody to bring any.
fn post_all(target: &Target, alerts: &Receiver<String>, unsent: &AtomicU64) {
    let agent = agent();
    while let Ok(alert) = alerts.recv() {
        let sent = post(&agent, target, &alert).or_else(|_| {
            std::thread::sleep(AGAIN);
            post(&agent, target, &alert)
        });
        if let Err(reason) = sent {
            unsent.fetch_add(1, Relaxed);
            tracing::warn!(receiver = target.shown, reason, "an alert was not taken");
        }
    }
}

/// Posts an alert; an error says what went wrong without repeating the URL.
fn post(agent: &Agent, target: &Target, alert: &str) -> Result<(), String> {
    let sent = agent.post(&target.url).header("content-type", "application/json").send(alert);
    match sent {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(format!("answered {}", response.status().as_u16())),
        Err(ureq::Error::Timeout(_)) => Err(format!("no answer within {TIMEOUT:?}")),
        Err(ureq::Error::Io(error)) => Err(error.kind().to_string()),
        Err(ureq::Error::HostNotFound) => Err("there is no such host".to_owned()),
        // Others may have the URL in their words.
        Err(_) => Err("the request failed".to_owned()),
    }
}

fn agent() -> Agent {
    // A redirection would take the alert elsewhere.
    let config = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false);
    #[cfg(feature = "webhook-tls")]
    let config = config.tls_config(tls());
    config.build().new_agent()
}

/// Trusts whom the machine trusts.
#[cfg(feature = "webhook-tls")]
fn tls() -> ureq::tls::TlsConfig {
    use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

    let trusted = rustls_native_certs::load_native_certs().certs;
    let trusted: Vec<_> =
        trusted.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(RootCerts::new_with_certs(&trusted))
        .build()
}
