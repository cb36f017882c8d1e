//! A network that fails on command: a TCP proxy in front of a server.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to bytes and connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// Connections are closed, and new ones as well.
    Refuse,
    /// Nothing comes through, and nobody is told. What was sent arrives later, as TCP repeats it.
    BlackHole,
    /// What comes arrives so much later.
    Delay(Duration),
    /// As [`Refuse`](Self::Refuse), with an RST.
    Reset,
    /// Connections stay open and carry nothing any more, even after this is over: a NAT has forgotten them.
    HalfOpen,
}

pub(crate) struct Proxy {
    port: u16,
    /// User and password, with the `@` behind them.
    user: String,
    mode: watch::Sender<Mode>,
    listener: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mode = watch::Sender::new(Mode::Pass);
        let (address, modes) = (address.to_owned(), mode.clone());
        let listener = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, address.clone(), modes.subscribe()));
            }
        });
        Self { port, user: String::new(), mode, listener }
    }

    /// In front of the tests' Redis.
    pub(crate) async fn to_redis() -> Self {
        let url = super::redis_url();
        let url = url.trim_start_matches("redis://");
        let (user, host) = url.rsplit_once('@').map_or(("", url), |(user, host)| (user, host));
        let mut proxy = Self::to(host.split('/').next().unwrap_or(host)).await;
        if !user.is_empty() {
            proxy.user = format!("{user}@");
        }
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}127.0.0.1:{}", self.user, self.port)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn connection(client: TcpStream, address: String, mut mode: watch::Receiver<Mode>) {
    if !passes(&mut mode).await {
        return close(&client, *mode.borrow());
    }
    let Ok(server) = TcpStream::connect(address).await else { return };
    _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = server.into_split();
    tokio::select! {
        () = pump(client_in, server_out, mode.clone()) => {}
        () = pump(server_in, client_out, mode) => {}
    }
}

fn close(client: &TcpStream, mode: Mode) {
    if mode == Mode::Reset {
        _ = client.set_zero_linger();
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut mode: watch::Receiver<Mode>) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let read = tokio::select! {
            read = from.read(&mut bytes) => read,
            _ = mode.changed() => {
                if !passes(&mut mode).await {
                    return close(from.as_ref(), *mode.borrow());
                }
                continue;
            }
        };
        let Ok(count @ 1..) = read else { return };
        if !passes(&mut mode).await {
            return close(from.as_ref(), *mode.borrow());
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

/// Waits until bytes may go on; `false`: never.
async fn passes(mode: &mut watch::Receiver<Mode>) -> bool {
    loop {
        let now = *mode.borrow_and_update();
        match now {
            Mode::Pass => return true,
            Mode::Refuse | Mode::Reset => return false,
            Mode::HalfOpen => std::future::pending().await,
            Mode::BlackHole => _ = mode.changed().await,
            Mode::Delay(time) => tokio::select! {
                () = tokio::time::sleep(time) => return true,
                _ = mode.changed() => {}
            },
        }
    }
}
