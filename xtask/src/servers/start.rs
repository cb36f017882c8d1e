//! The start of a server: its runtime, its listener, its name.

use std::fmt;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use tokio::net::{TcpListener, TcpSocket};

use super::{flymcprust, hyper, ours, rmcp};

/// How many connections may wait to be accepted, so that none retries.
const BACKLOG: u32 = 4096;

/// A compared server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Server {
    Ours,
    /// Ours without its profiler.
    Unmeasured,
    Hyper,
    Flymcprust,
    Rmcp,
}

impl Server {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Unmeasured => "unmeasured",
            Self::Hyper => "hyper",
            Self::Flymcprust => "flymcprust",
            Self::Rmcp => "rmcp",
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What one server is started with.
#[derive(clap::Args)]
pub(crate) struct Options {
    server: Server,
    /// Serves HTTP at this address, and prints the one it got.
    #[arg(long, value_name = "ADDR", required_unless_present = "stdio")]
    http: Option<SocketAddr>,
    /// Serves stdio.
    #[arg(long, conflicts_with = "http")]
    stdio: bool,
    /// Has two hundred tools in place of the others.
    #[arg(long)]
    many: bool,
}

/// Serves until the process is ended.
pub(crate) fn run(options: &Options) -> Result<()> {
    // A benchmark that is killed leaves no servers behind.
    set_pdeathsig(Signal::SIGKILL).context("the end of the parent cannot be watched")?;
    raise_open_files()?;
    // The default number of workers for all: one for each core.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match (options.server, options.http) {
            (server, Some(address)) => {
                // It answers with what it is given before it listens.
                let fixed = if server == Server::Hyper { hyper::read_answer()? } else { Vec::new() };
                let listener = listen(address)?;
                println!("{}", listener.local_addr()?);
                match server {
                    Server::Ours => ours::serve_http(listener, options.many, true).await,
                    Server::Unmeasured => ours::serve_http(listener, options.many, false).await,
                    Server::Hyper => hyper::serve_http(listener, fixed).await,
                    Server::Flymcprust => flymcprust::serve_http(listener, options.many).await,
                    Server::Rmcp => rmcp::serve_http(listener, options.many).await,
                }
            }
            (Server::Ours | Server::Unmeasured, None) => ours::serve_stdio(options.many).await,
            (Server::Flymcprust, None) => flymcprust::serve_stdio(options.many).await,
            (Server::Rmcp, None) => rmcp::serve_stdio(options.many).await,
            (Server::Hyper, None) => anyhow::bail!("hyper has no stdio: write `--http 127.0.0.1:0`"),
        }
    })
}

/// Listens with `TCP_NODELAY`, which accepted connections inherit.
fn listen(address: SocketAddr) -> Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    socket.bind(address).with_context(|| format!("cannot listen at {address}"))?;
    Ok(socket.listen(BACKLOG)?)
}

/// Raises the number of open files as far as the process may.
pub(crate) fn raise_open_files() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    ensure!(most >= 8192, "at most {most} files may be open, and 8192 are needed: raise `ulimit -Hn`");
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}
