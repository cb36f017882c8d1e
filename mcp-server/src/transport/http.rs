//! Streamable HTTP: hyper in front, rmcp behind.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, CONTENT_TYPE,
    ORIGIN, VARY, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use mcp_core::Identity;
use rmcp::model::ProtocolVersion;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::auth::Headers;
use crate::error::Error;
use crate::protocol::Handler;
use crate::server::Server;
use crate::started::Core;

/// The header of a session's id, before revision 2026-07-28.
const SESSION: &str = "mcp-session-id";

/// How many sessions of the older revisions may be open; rmcp ends idle ones after five minutes.
const MAX_SESSIONS: usize = 4096;

/// How long connections may take to end when all calls are answered.
const GRACE: Duration = Duration::from_secs(2);

/// How long a connection may stay without a byte before its first request.
const SILENCE: Duration = Duration::from_secs(30);

/// How many connections may be open; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 10_000;

/// Pages of this machine, at any port.
const LOOPBACK_ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

type Body = BoxBody<Bytes, Infallible>;

/// A server as a tower service, to be mounted in a router: it answers `/mcp`, `/healthz` and `/readyz`.
///
/// Made by [`Server::http_service`].
#[derive(Clone)]
pub struct HttpService {
    core: Arc<Core>,
    rmcp: StreamableHttpService<Handler, LocalSessionManager>,
    sessions: Arc<LocalSessionManager>,
    /// The origins that may call, each in the form of [`spelled_out`].
    origins: Arc<[String]>,
    owners: Arc<Mutex<HashMap<String, [u8; 32]>>>,
}

impl Server {
    /// Returns the server as a tower service.
    ///
    /// Shared values with `preload` are built at their first use here, as there is no start to wait at.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] with every mistake in the components and their settings.
    pub fn http_service(&self) -> Result<HttpService, Error> {
        self.core().map(|core| HttpService::new(Arc::clone(core)))
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
        let service = HttpService::new(Arc::clone(core));
        if let Ok(address) = listener.local_addr() {
            tracing::info!(server = %core.name, "listening at http://{address}/mcp");
        }
        serve(listener, service, core).await;
        Ok(())
    }
}

async fn serve(listener: TcpListener, service: HttpService, core: &Core) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30));
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(30));
    let connections = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = async {
                let place = Arc::clone(&room).acquire_owned().await.map_err(std::io::Error::other)?;
                listener.accept().await.map(|(stream, _)| (stream, place))
            } => accepted,
            () = core.stopping.cancelled() => break,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most of the time: the listener lives on, and a loop would spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Answers are small and written whole: waiting to fill a packet costs 40 ms (Nagle against delayed ACK).
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY not set");
        }
        let (builder, service, watcher) = (builder.clone(), service.clone(), connections.watcher());
        tokio::spawn(async move {
            // hyper's own deadlines begin with the first byte.
            if matches!(tokio::time::timeout(SILENCE, stream.readable()).await, Ok(Ok(()))) {
                let served =
                    builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
                if let Err(error) = watcher.watch(served).await {
                    tracing::debug!(error, "connection ended");
                }
            }
            drop(place);
        });
    }
    // Whoever comes now is told so by the system, and not kept waiting.
    drop(listener);
    core.ended.cancelled().await;
    if tokio::time::timeout(GRACE, connections.shutdown()).await.is_err() {
        tracing::debug!("connections were still open after {GRACE:?}");
    }
}

impl HttpService {
    fn new(core: Arc<Core>) -> Self {
        let config = &core.dispatch.config;
        let mut http = StreamableHttpServerConfig::default()
            .with_cancellation_token(core.ended.child_token())
            .with_max_request_body_bytes(usize::try_from(config.max_request_size).unwrap_or(usize::MAX));
        if !config.allowed_hosts.is_empty() {
            http = http.with_allowed_hosts(&config.allowed_hosts);
        }
        // A page of this machine may call; one from elsewhere only where it is named.
        let named = config.allowed_origins.iter().map(|origin| spelled_out(origin));
        let origins: Arc<[String]> =
            LOOPBACK_ORIGINS.into_iter().map(ToOwned::to_owned).chain(named).collect();
        http = http.with_allowed_origins(origins.iter());
        let handlers = Arc::clone(&core);
        let sessions = Arc::new(LocalSessionManager::default());
        let rmcp = StreamableHttpService::new(
            move || Ok(Handler::new(Arc::clone(&handlers))),
            Arc::clone(&sessions),
            http,
        );
        Self { core, rmcp, sessions, origins, owners: Arc::default() }
    }

    async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send + 'static,
        B::Error: std::fmt::Display,
    {
        match request.uri().path() {
            "/mcp" | "/mcp/" if request.method() == Method::OPTIONS => {
                return self.shared_with(request.headers(), Response::new(Full::default().boxed()));
            }
            "/mcp" | "/mcp/" => {}
            "/healthz" => return text(StatusCode::OK, "ok\n"),
            "/readyz" if self.core.stopping.is_cancelled() => {
                return text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
            }
            "/readyz" => return text(StatusCode::OK, "ready\n"),
            _ => return text(StatusCode::NOT_FOUND, "not found: the protocol is at /mcp\n"),
        }
        let headers = request.headers().clone();
        let response = self.protocol(request).await;
        self.shared_with(&headers, response)
    }

    /// Lets a page read the answer whose origin may call (the Fetch standard's CORS protocol).
    fn shared_with(&self, request: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
        let Some(origin) = request.get(ORIGIN) else { return response };
        let spelled = origin.to_str().map(spelled_out).unwrap_or_default();
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_static("origin"));
        if self.origins.iter().any(|allowed| is_origin(&spelled, allowed)) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(SESSION));
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
            // Which headers a call has depends on the tool (`Mcp-Param-*`): those that are asked for.
            if let Some(wanted) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
            }
        }
        response
    }

    async fn protocol<B>(&self, mut request: Request<B>) -> Response<Body>
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send + 'static,
        B::Error: std::fmt::Display,
    {
        if self.core.stopping.is_cancelled() && request.method() == Method::POST {
            return text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
        }
        let identity = match self.identity(Headers::of(request.headers())).await {
            Ok(identity) => identity,
            Err(response) => return response,
        };
        let fingerprint = identity.fingerprint();
        let session = request.headers().get(SESSION).and_then(|id| id.to_str().ok()).map(ToOwned::to_owned);
        let owner = session.as_deref().map(|session| self.owners().get(session).copied());
        if self.core.authenticator.is_some() && owner.is_some_and(|owner| owner != Some(fingerprint)) {
            // To whom it does not belong, it does not exist.
            return text(StatusCode::NOT_FOUND, "no such session: initialize a new one\n");
        }
        if session.is_none()
            && may_open_session(request.headers())
            && self.sessions.sessions.read().await.len() >= MAX_SESSIONS
        {
            return text(StatusCode::SERVICE_UNAVAILABLE, "too many sessions are open: try again later\n");
        }
        let ended = request.method() == Method::DELETE;
        request.extensions_mut().insert(identity);

        let response = self.rmcp.handle(request).await;
        match session {
            Some(session) if ended && response.status().is_success() => {
                self.owners().remove(&session);
            }
            None => {
                let opened = response.headers().get(SESSION).and_then(|id| id.to_str().ok());
                if let Some(opened) = opened {
                    self.forget_ended().await;
                    self.owners().insert(opened.to_owned(), fingerprint);
                }
            }
            Some(_) => {}
        }
        response
    }

    /// Forgets the owners of sessions that rmcp has ended by itself.
    async fn forget_ended(&self) {
        let open = self.sessions.sessions.read().await;
        if self.owners().len() > open.len() + MAX_SESSIONS / 4 {
            self.owners().retain(|id, _| open.contains_key(id.as_str()));
        }
    }

    async fn identity(&self, headers: Headers) -> Result<Identity, Response<Body>> {
        let Some(authenticator) = &self.core.authenticator else { return Ok(Identity::anonymous()) };
        authenticator.authenticate(&headers).await.map_err(|refused| {
            let body = json!({
                "jsonrpc": "2.0",
                "error": { "code": -32600, "message": format!("unauthorized: {}", refused.0) },
            });
            let mut response = text(StatusCode::UNAUTHORIZED, &body.to_string());
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        })
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<String, [u8; 32]>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> tower_service::Service<Request<B>> for HttpService
where
    B: http_body::Body + Send + 'static,
    B::Data: Send + 'static,
    B::Error: std::fmt::Display,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}

/// Returns whether an origin is an allowed one, whose port may be `*`; both in the form of [`spelled_out`].
fn is_origin(origin: &str, allowed: &str) -> bool {
    match allowed.strip_suffix(":*") {
        Some(host) => origin.rsplit_once(':').is_some_and(|(own, _)| own == host),
        None => origin == allowed,
    }
}

/// Writes an origin in one way: in lower case, with its port.
fn spelled_out(origin: &str) -> String {
    let origin = origin.trim().trim_end_matches('/').to_ascii_lowercase();
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    match origin.as_str() {
        secure if secure.starts_with("https://") && !has_port => format!("{secure}:443"),
        plain if plain.starts_with("http://") && !has_port => format!("{plain}:80"),
        _ => origin,
    }
}

/// Returns whether a request without a session may open one: those of the newest revision name another
/// method in a header, which rmcp holds against the body.
fn may_open_session(headers: &HeaderMap) -> bool {
    let version = headers.get("mcp-protocol-version").map(HeaderValue::as_bytes);
    let modern = version.is_some_and(|version| version >= ProtocolVersion::V_2026_07_28.as_str().as_bytes());
    let method = headers.get("mcp-method").map(HeaderValue::as_bytes);
    !modern || method.is_none_or(|method| method == b"initialize")
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())).boxed());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Returns whether an address is of this machine alone.
#[cfg(feature = "cli")]
pub(crate) fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        || address.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
}
