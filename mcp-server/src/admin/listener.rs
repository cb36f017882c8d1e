//! Where the routes are reached.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use mcp_core::Config;

use super::service::Admin;
use crate::error::Error;
use crate::started::Core;
use crate::transport::http;

/// The shortest token that is no guess.
const SHORTEST: usize = 16;

/// Opens the listener that the configuration asks for, once, and returns the routes where another listener, which
/// serves the protocol at `serves`, is to answer them as well.
///
/// # Errors
///
/// Fails where the address cannot be had, or is reached by others without a token.
pub(crate) fn open(core: &Arc<Core>, serves: Option<SocketAddr>) -> Result<Option<Arc<Admin>>, Error> {
    let config = &core.dispatch.config;
    let Some(wanted) = &config.admin else {
        let local = serves.filter(|address| address.ip().is_loopback());
        return Ok(local.map(|_| Admin::new(core)));
    };
    if let Some(address) = serves.filter(|address| wanted.parse() == Ok(*address)) {
        refuse_unguarded(config, address)?;
        return Ok(Some(Admin::new(core)));
    }
    core.admin.get_or_init(|| listen(core, wanted)).clone().map(|()| None)
}

fn listen(core: &Arc<Core>, wanted: &str) -> Result<(), Error> {
    let cannot = |error: std::io::Error| {
        Error::start(format!(
            "cannot listen at `{wanted}` (`admin`): {error}; write a free address, such as `127.0.0.1:9090`"
        ))
    };
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return Err(Error::start("a server with `admin` is started inside of a tokio runtime"));
    };
    let listener = TcpListener::bind(wanted).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    refuse_unguarded(&core.dispatch.config, address)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(cannot)?;
    tracing::info!(server = %core.name, "metrics at http://{address}/metrics, and a page at http://{address}/dashboard");
    runtime.spawn(http::serve_admin(listener, core));
    Ok(())
}

/// Refuses an address that others reach where nobody is asked for a token.
fn refuse_unguarded(config: &Config, address: SocketAddr) -> Result<(), Error> {
    let port = address.port();
    let guarded = config.admin_token.as_ref().is_some_and(|token| token.len() >= SHORTEST);
    if !guarded && !address.ip().is_loopback() {
        return Err(Error::start(format!(
            "`admin` is `{address}`, which others can reach: set `MCP_ADMIN_TOKEN` to at least {SHORTEST} random \
             characters, or listen at `127.0.0.1:{port}`"
        )));
    }
    if !address.ip().is_loopback() && config.allowed_hosts.is_empty() {
        tracing::warn!(
            "metrics and the dashboard answer only requests addressed to this machine itself: set `MCP_ALLOWED_HOSTS`"
        );
    }
    Ok(())
}
