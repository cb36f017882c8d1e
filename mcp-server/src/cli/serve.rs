//! `serve`: stdio, HTTP or both, until the client leaves or the process is told to stop.

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::control;
use crate::error::Error;
use crate::server::Server;

pub(super) fn arguments(command: Command) -> Command {
    let stdio = Arg::new("stdio")
        .long("stdio")
        .action(ArgAction::SetTrue)
        .help("serve stdio (the default), also beside HTTP");
    let command = command.arg(stdio);
    #[cfg(feature = "http")]
    let command = command.arg(
        Arg::new("http")
            .long("http")
            .value_name("ADDR")
            .help("serve Streamable HTTP at this address, such as 127.0.0.1:8080"),
    );
    command
}

pub(super) async fn run(server: &Server, arguments: &ArgMatches) -> Result<ExitCode, Error> {
    let core = server.core()?;
    let _control = control::open(core);
    tokio::spawn({
        let stopping = core.stopping.clone();
        async move {
            signalled().await;
            stopping.cancel();
        }
    });

    let address = http_address(arguments);
    let stdio = arguments.get_flag("stdio") || address.is_none();
    let served = match (stdio, address) {
        (true, None) => server.serve_stdio().await,
        (false, Some(address)) => serve_http(server, &address).await,
        (_, Some(address)) => {
            // HTTP goes on when the client of stdio leaves; where one cannot be served, neither is.
            tokio::try_join!(server.serve_stdio(), serve_http(server, &address)).map(|_| ())
        }
        (false, None) => Ok(()),
    };
    core.stopping.cancel();
    control::write_last(core);
    #[cfg(feature = "redis")]
    crate::history::write_last(core).await;
    served.map(|()| ExitCode::SUCCESS)
}

#[cfg(feature = "http")]
fn http_address(arguments: &ArgMatches) -> Option<String> {
    arguments.get_one::<String>("http").cloned()
}

#[cfg(not(feature = "http"))]
fn http_address(_arguments: &ArgMatches) -> Option<String> {
    None
}

#[cfg(feature = "http")]
async fn serve_http(server: &Server, address: &str) -> Result<(), Error> {
    let core = server.core()?;
    if !crate::transport::http::is_loopback(address) {
        if core.authenticator.is_none() {
            tracing::warn!(
                "{address} is reachable from elsewhere, and nobody is asked for a token: set `MCP_AUTH_TOKENS`"
            );
        }
        if core.dispatch.config.allowed_hosts.is_empty() {
            tracing::warn!(
                "only requests addressed to this machine itself are answered: set `MCP_ALLOWED_HOSTS`"
            );
        }
    }
    server.serve_http(address).await
}

#[cfg(not(feature = "http"))]
#[expect(clippy::unused_async, reason = "has the form of the version with HTTP")]
async fn serve_http(_server: &Server, _address: &str) -> Result<(), Error> {
    Ok(())
}

/// Waits until the process is told to stop.
pub(super) async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
