//! A listener and its connections.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Poll, ready};
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::body::ResponseBody;
use super::service::HttpService;
use super::watch::{Deadlines, Pulse, Verdict, Watch, Watched};
use crate::admin::{self, Admin};
use crate::error::Error;
use crate::operation::Peer;
use crate::server::Server;
use crate::started::Core;

/// How long connections may take to end when all calls are answered.
const GRACE: Duration = Duration::from_secs(3);

/// How many connections may be open; further ones are answered 503.
const MAX_CONNECTIONS: usize = 10_000;

/// The largest headers of a request, in bytes; larger ones are answered 431.
const MAX_HEADERS: u32 = 64 << 10;

/// How much of an answer is held for a client that takes it slowly, beside the answer itself.
const MAX_BUFFER: usize = 128 << 10;

impl Server {
    /// Returns the server as a tower service.
    ///
    /// Shared values with `preload` are built at their first use here, as there is no start to wait at,
    /// and deadlines of connections are those of the program that serves it.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] with every mistake in the components and their settings.
    pub fn http_service(&self) -> Result<HttpService, Error> {
        let core = self.core()?;
        core.look_after();
        admin::open(core, None)?;
        Ok(HttpService::new(Arc::clone(core), None))
    }

    /// Serves Streamable HTTP at an address such as `127.0.0.1:8080` until [`stop`](Self::stop) is called.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] with every mistake in the components, [`Error::Transport`] where the address
    /// cannot be had.
    pub async fn serve_http(&self, address: &str) -> Result<(), Error> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| Error::Transport(format!("cannot listen at `{address}`: {error}")))?;
        self.serve_listener(listener).await
    }

    /// Serves Streamable HTTP on a listener that is bound already.
    ///
    /// # Errors
    ///
    /// As [`serve_http`](Self::serve_http).
    pub async fn serve_listener(&self, listener: TcpListener) -> Result<(), Error> {
        let core = self.core()?;
        core.open().await?;
        let address = listener.local_addr().ok();
        let service = HttpService::new(Arc::clone(core), admin::open(core, address)?);
        if let Some(address) = address {
            tracing::info!(server = %core.name, "listening at http://{address}/mcp");
        }
        let deadlines = Deadlines::new(core.dispatch.config.keep_alive_idle);
        let watch = Watch::new(deadlines, Arc::clone(&core.connections));
        serve(listener, Routes::Protocol(service), watch, Ends::of(core)).await;
        // rmcp ends sessions in tasks of its own, and how long they were is told before the process ends.
        let over = async {
            while core.operations.sessions() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(GRACE, over).await.is_err() {
            tracing::debug!("sessions were still open after {GRACE:?}");
        }
        Ok(())
    }
}

/// Serves what was measured until the server ends, be it dropped; its connections are not counted among the others.
pub(crate) fn serve_admin(listener: TcpListener, core: &Arc<Core>) -> impl Future<Output = ()> + use<> {
    let deadlines = Deadlines::new(core.dispatch.config.keep_alive_idle);
    let watch = Watch::new(deadlines, Arc::default());
    serve(listener, Routes::Admin(Admin::new(core)), watch, Ends::of(core))
}

/// What a listener answers.
#[derive(Clone)]
enum Routes {
    Protocol(HttpService),
    Admin(Arc<Admin>),
}

/// When a listener ends, and how it serves up to then.
struct Ends {
    stopping: CancellationToken,
    ended: CancellationToken,
    /// How many requests a connection may bring.
    most: Option<u32>,
}

impl Ends {
    fn of(core: &Core) -> Self {
        let most = core.dispatch.config.keep_alive_requests;
        Self { stopping: core.stopping.clone(), ended: core.ended.clone(), most }
    }
}

async fn serve(listener: TcpListener, routes: Routes, watch: Arc<Watch>, ends: Ends) {
    // Ends with this function.
    let mut keeper = JoinSet::new();
    keeper.spawn(Arc::clone(&watch).keep());
    let protocols = Arc::new(Protocols::new(ends.most));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ends.stopping.cancelled() => break,
            () = ends.ended.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most of the time: the listener lives on, and a loop would spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if watch.open.load(Relaxed) >= MAX_CONNECTIONS {
            refuse(&stream);
            continue;
        }
        // Answers are small and written whole: waiting to fill a packet costs 40 ms (Nagle against delayed ACK).
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY not set");
        }
        let pulse = watch.enter();
        let stream = Watched::new(stream, Arc::clone(&pulse));
        let requests = Requests { routes: routes.clone(), pulse, most: protocols.most, peer: Peer(peer) };
        tokio::spawn(Arc::clone(&protocols).connection(stream, requests));
    }
    // Whoever comes now is told so by the system, and not kept waiting.
    drop(listener);
    ends.ended.cancelled().await;
    watch.leave();
    let gone = async {
        while watch.open.load(Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(GRACE, gone).await.is_err() {
        tracing::debug!("connections were still open after {GRACE:?}");
    }
}

/// Tells a client that there are too many: it is not worth a task.
fn refuse(stream: &TcpStream) {
    let _ = stream.try_write(
        b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n\
          content-type: text/plain; charset=utf-8\r\ncontent-length: 46\r\n\r\n\
          too many connections are open: try again later",
    );
}

/// HTTP/1.1 and HTTP/2 as they are served here.
struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    /// How many requests a connection may bring.
    most: Option<u32>,
}

impl Protocols {
    fn new(most: Option<u32>) -> Self {
        let mut http1 = http1::Builder::new();
        http1.header_read_timeout(None).max_header_size(MAX_HEADERS as usize).max_buf_size(MAX_BUFFER);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .max_header_list_size(MAX_HEADERS)
            .max_send_buf_size(MAX_BUFFER);
        Self { http1, http2, most }
    }

    /// Serves a connection until either side ends it.
    async fn connection(self: Arc<Self>, mut stream: Watched, requests: Requests) {
        let pulse = Arc::clone(&requests.pulse);
        // Nothing is set aside for a connection that has sent nothing yet.
        let http2 = tokio::select! {
            first = stream.speaks_http2() => first,
            _ = pulse.told() => return,
        };
        match http2 {
            Ok(true) => {
                stream.has_frames();
                let mut connection = self.http2.serve_connection(TokioIo::new(stream), requests);
                drive(&mut connection, &pulse, |_| false, http2::Connection::graceful_shutdown).await;
            }
            Ok(false) => self.http1(stream, requests).await,
            Err(error) => tracing::debug!(%error, "a connection ended before its first byte"),
        }
    }

    /// Serves HTTP/1.1. Among many connections, those that wait give back what they were served with.
    async fn http1(&self, mut stream: Watched, mut requests: Requests) {
        let pulse = Arc::clone(&requests.pulse);
        loop {
            let mut connection = self.http1.serve_connection(TokioIo::new(stream), requests);
            let leave = http1::Connection::graceful_shutdown;
            if drive(&mut connection, &pulse, Pulse::may_park, leave).await == End::Over {
                return;
            }
            let parts = connection.into_parts();
            (stream, requests) = (parts.io.into_inner(), parts.service);
            stream.put_back(parts.read_buf);
            tokio::select! {
                ready = stream.more() => if ready.is_err() { return },
                _ = pulse.told() => return,
            }
        }
    }
}

/// How the driving of a connection ends.
#[derive(PartialEq, Eq)]
enum End {
    Over,
    /// It waits, and so do many others.
    Parked,
}

/// Drives a connection, and ends it where it is told to.
async fn drive<C>(
    connection: &mut C,
    pulse: &Pulse,
    may_park: fn(&Pulse) -> bool,
    leave: fn(Pin<&mut C>),
) -> End
where
    C: Future<Output = hyper::Result<()>> + Unpin,
{
    let mut told = pin!(pulse.told());
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(ended) = Pin::new(&mut *connection).poll(cx) {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return Poll::Ready(End::Over);
            }
            if may_park(pulse) {
                return Poll::Ready(End::Parked);
            }
            let verdict = ready!(told.as_mut().poll(cx));
            told.set(pulse.told());
            match verdict {
                Verdict::Leave => leave(Pin::new(&mut *connection)),
                Verdict::Unheard | Verdict::Cut => return Poll::Ready(End::Over),
            }
        }
    })
    .await
}

/// The requests of one connection.
struct Requests {
    routes: Routes,
    pulse: Arc<Pulse>,
    most: Option<u32>,
    #[cfg_attr(not(feature = "otel"), allow(dead_code, reason = "only spans tell it"))]
    peer: Peer,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let active = self.pulse.begin();
        let is_last = self.most.is_some_and(|most| self.pulse.served.load(Relaxed) >= most);
        let http2 = request.version() == Version::HTTP_2;
        let routes = self.routes.clone();
        let (mut parts, body) = request.into_parts();
        #[cfg(feature = "otel")]
        parts.extensions.insert(self.peer);
        Box::pin(async move {
            let mut response = match routes {
                Routes::Protocol(service) => service.answer(&mut parts, body).await,
                Routes::Admin(admin) => Box::pin(admin.answer(&parts, body)).await,
            };
            if is_last && !http2 {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            } else if is_last {
                active.leave();
            }
            Ok(response.map(|body| body.of(active)))
        })
    }
}

/// Returns whether an address is of this machine alone.
#[cfg(feature = "cli")]
pub(crate) fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        || address.parse::<std::net::SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
}
