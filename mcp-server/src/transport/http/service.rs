//! The way of a request: routes, who calls, the direct lane, rmcp.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use mcp_core::Identity;
use mcp_core::places::QUEUE;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::body::{self, ResponseBody, Unread};
use super::origins::Origins;
use super::sessions::{SESSION, Sessions};
use crate::auth::Headers;
use crate::protocol::Handler;
use crate::protocol::lane::{Envelope, Taken, agree};
use crate::started::Core;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A server as a tower service, to be mounted in a router: it answers `/mcp`, `/healthz` and `/readyz`.
///
/// Made by [`Server::http_service`](crate::Server::http_service).
#[derive(Clone)]
pub struct HttpService(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    rmcp: StreamableHttpService<Handler, LocalSessionManager>,
    sessions: Sessions,
    origins: Origins,
    /// The largest body of a request, in bytes.
    largest: usize,
    /// How many requests are being answered, and how many may be.
    answering: AtomicUsize,
    most: usize,
}

/// A request that is being answered.
struct Admitted<'a>(&'a AtomicUsize);

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl HttpService {
    pub(super) fn new(core: Arc<Core>) -> Self {
        let config = &core.dispatch.config;
        let largest = usize::try_from(config.max_request_size).unwrap_or(usize::MAX);
        let origins = Origins::new(config);
        let mut http = StreamableHttpServerConfig::default()
            .with_cancellation_token(core.ended.child_token())
            .with_max_request_body_bytes(largest)
            .with_allowed_origins(origins.pages());
        if !config.allowed_hosts.is_empty() {
            http = http.with_allowed_hosts(&config.allowed_hosts);
        }
        let most = (config.max_concurrency as usize).saturating_mul(1 + QUEUE);
        let handlers = Arc::clone(&core);
        let sessions = Sessions::default();
        let rmcp = StreamableHttpService::new(
            move || Ok(Handler::new(Arc::clone(&handlers))),
            sessions.manager(),
            http,
        );
        let answering = AtomicUsize::new(0);
        Self(Arc::new(Inner { core, rmcp, sessions, origins, largest, answering, most }))
    }

    pub(super) async fn answer<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send + 'static,
        B::Error: std::fmt::Display,
    {
        self.0.answer(request).await
    }
}

impl Inner {
    async fn answer<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send + 'static,
        B::Error: std::fmt::Display,
    {
        match request.uri().path() {
            "/mcp" | "/mcp/" => {}
            "/healthz" => return text(StatusCode::OK, "ok\n"),
            "/readyz" if self.core.stopping.is_cancelled() => {
                return text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
            }
            "/readyz" => return text(StatusCode::OK, "ready\n"),
            _ => return text(StatusCode::NOT_FOUND, "not found: the protocol is at /mcp\n"),
        }
        let page = request.headers().contains_key(ORIGIN).then(|| request.headers().clone());
        let mut response = if request.method() == Method::OPTIONS {
            Response::new(ResponseBody::whole(""))
        } else {
            self.protocol(request).await.unwrap_or_else(|refused| refused)
        };
        if let Some(page) = page {
            self.origins.share(&page, &mut response);
        }
        response
    }

    /// Answers a message of the protocol; `Err` is a refusal that comes before it.
    async fn protocol<B>(&self, request: Request<B>) -> Result<Response<ResponseBody>, Response<ResponseBody>>
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send + 'static,
        B::Error: std::fmt::Display,
    {
        if self.core.stopping.is_cancelled() && request.method() == Method::POST {
            return Err(text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"));
        }
        let _admitted = self.admit()?;
        let identity = self.identity(request.headers()).await?;
        if request.method() != Method::POST || !self.origins.are_trusted(request.headers()) {
            return self.behind(request, identity).await;
        }
        let (parts, body) = request.into_parts();
        let body = body::read(body, self.largest).await.map_err(|unread| self.unread(&unread))?;
        if let Some(answer) = self.direct(&parts, &body, &identity).await {
            return Ok(answer);
        }
        self.behind(Request::from_parts(parts, Full::new(body)), identity).await
    }

    /// Answers a request on the direct lane, or leaves it.
    async fn direct(
        &self,
        parts: &Parts,
        body: &Bytes,
        identity: &Identity,
    ) -> Option<Response<ResponseBody>> {
        let core = &*self.core;
        if !core.direct || parts.headers.contains_key(SESSION) || !is_plain(&parts.headers) {
            return None;
        }
        let taken = {
            let envelope = Envelope::read(std::str::from_utf8(body).ok()?)?;
            let era = envelope.era(None).filter(|_| agree(core, &parts.headers, &envelope))?;
            Taken::new(core, &envelope, era)?
        };
        // Whoever goes away drops this future, and with it the function that it waits for.
        let written = taken.answer(core, identity.clone(), CancellationToken::new()).await?;
        let mut response = Response::new(ResponseBody::pieces(written.pieces()));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        Some(response)
    }

    /// Hands a request to rmcp, for whom its caller is an extension.
    async fn behind<B>(
        &self,
        mut request: Request<B>,
        identity: Identity,
    ) -> Result<Response<ResponseBody>, Response<ResponseBody>>
    where
        B: http_body::Body + Send + 'static,
        B::Error: std::fmt::Display,
    {
        let fingerprint = identity.fingerprint();
        let session = Sessions::id(request.headers());
        if self.core.authenticator.is_some()
            && session.as_deref().is_some_and(|session| !self.sessions.belongs(session, fingerprint))
        {
            // To whom it does not belong, it does not exist.
            return Err(text(StatusCode::NOT_FOUND, "no such session: initialize a new one\n"));
        }
        if session.is_none() && self.sessions.is_full(request.headers()).await {
            return Err(later(StatusCode::SERVICE_UNAVAILABLE, "too many sessions are open: try again later\n"));
        }
        let ends = request.method() == Method::DELETE;
        request.extensions_mut().insert(identity);

        let response = self.rmcp.handle(request).await;
        match session {
            Some(session) if ends && response.status().is_success() => self.sessions.ended(&session),
            Some(_) => {}
            None => {
                if let Some(opened) = Sessions::id(response.headers()) {
                    self.sessions.opened(&opened, fingerprint).await;
                }
            }
        }
        Ok(response.map(ResponseBody::stream))
    }

    /// Takes a place for a request; calls wait in dispatch, and these are as many as may wait there.
    fn admit(&self) -> Result<Admitted<'_>, Response<ResponseBody>> {
        let admitted = Admitted(&self.answering);
        if self.answering.fetch_add(1, Relaxed) < self.most {
            return Ok(admitted);
        }
        Err(later(
            StatusCode::TOO_MANY_REQUESTS,
            "too many requests are being answered (`MCP_MAX_CONCURRENCY`): try again later\n",
        ))
    }

    fn unread(&self, unread: &Unread) -> Response<ResponseBody> {
        let (status, reason) = match unread {
            Unread::TooLarge => {
                let reason = format!(
                    "the request has more than {} bytes (`MCP_MAX_REQUEST_SIZE`): send less\n",
                    self.largest
                );
                (StatusCode::PAYLOAD_TOO_LARGE, reason)
            }
            Unread::TooSlow => {
                (StatusCode::REQUEST_TIMEOUT, "the body of the request took too long\n".to_owned())
            }
            Unread::Broken(error) => {
                (StatusCode::BAD_REQUEST, format!("the body of the request broke off: {error}\n"))
            }
        };
        let mut response = text(status, &reason);
        // What is left of the body is not read.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }

    async fn identity(&self, headers: &HeaderMap) -> Result<Identity, Response<ResponseBody>> {
        let Some(authenticator) = &self.core.authenticator else { return Ok(Identity::anonymous()) };
        authenticator.authenticate(&Headers::of(headers)).await.map_err(|refused| {
            let body = json!({
                "jsonrpc": "2.0",
                "error": { "code": -32600, "message": format!("unauthorized: {}", refused.0) },
            });
            let mut response = text(StatusCode::UNAUTHORIZED, &body.to_string());
            response.headers_mut().insert(CONTENT_TYPE, JSON);
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        })
    }
}

impl<B> tower_service::Service<Request<B>> for HttpService
where
    B: http_body::Body + Send + 'static,
    B::Data: Send + 'static,
    B::Error: std::fmt::Display,
{
    type Response = Response<ResponseBody>;
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

/// Returns whether a request sends JSON and accepts both JSON and an event stream, without weights.
fn is_plain(headers: &HeaderMap) -> bool {
    let only = |name| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    let sends = only(CONTENT_TYPE).is_some_and(|kind| {
        kind == "application/json"
            || kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    });
    let accepts = only(ACCEPT).is_some_and(|accepted| {
        let takes = |kind| accepted.split(',').any(|one| one.trim().eq_ignore_ascii_case(kind));
        !accepted.contains([';', '"']) && takes("application/json") && takes("text/event-stream")
    });
    sends && accepts
}

fn text(status: StatusCode, text: &str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Refuses a request that may come again.
fn later(status: StatusCode, reason: &str) -> Response<ResponseBody> {
    let mut response = text(status, reason);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
