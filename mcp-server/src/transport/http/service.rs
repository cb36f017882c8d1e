//! The way of a request: routes, who calls, the direct lane, rmcp.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, ORIGIN, RETRY_AFTER, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Collected, Full};
use mcp_core::Identity;
use mcp_core::places::QUEUE;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};

use super::body::{self, ResponseBody, Unread};
use super::coding::{Coding, decoded, liked};
use super::gate::Gate;
use super::origins::Origins;
use super::refused;
use super::sessions::Sessions;
use crate::admin::Admin;
use crate::operation::Arrival;
use crate::protocol::lane::{Envelope, Headers, Taken};
use crate::protocol::{Handler, Heard, Receipt};
use crate::started::Core;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A server as a tower service, to be mounted in a router: it answers `/mcp`, `/healthz` and `/readyz`.
///
/// Made by [`Server::http_service`](crate::Server::http_service).
#[derive(Clone)]
pub struct HttpService(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    rmcp: StreamableHttpService<Heard, LocalSessionManager>,
    sessions: Sessions,
    origins: Origins,
    gate: Gate,
    /// What was measured, where this is the place for it.
    admin: Option<Arc<Admin>>,
    coding: Coding,
    /// The largest body of a request, in bytes.
    largest: usize,
    /// How many calls may be under way: those that run, and those that may wait for their turn.
    most: usize,
}

/// A request that has been read.
enum Arrived {
    /// For the direct lane.
    Taken(Taken, Identity),
    /// For rmcp.
    Left(Box<Request<Full<Bytes>>>, Identity),
}

impl HttpService {
    pub(super) fn new(core: Arc<Core>, admin: Option<Arc<Admin>>) -> Self {
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
        let sessions = core.sessions.clone();
        let rmcp = StreamableHttpService::new(
            move || Ok(Heard(Handler::new(Arc::clone(&handlers)))),
            sessions.manager(),
            http,
        );
        let coding = Coding::new(config.compression_threshold, config.cache_memory_bytes / 4);
        let gate = Gate::new(&core);
        Self(Arc::new(Inner { core, rmcp, sessions, origins, gate, admin, coding, largest, most }))
    }

    /// Answers a request, whose head is borrowed: it is large, and rarely needed whole.
    pub(super) async fn answer<B>(&self, parts: &mut Parts, body: B) -> Response<ResponseBody>
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send + 'static,
        B::Error: std::fmt::Display,
    {
        match parts.uri.path() {
            "/mcp" | "/mcp/" => {}
            "/healthz" => return text(StatusCode::OK, "ok\n"),
            "/readyz" if self.0.core.stopping.is_cancelled() => {
                return text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
            }
            "/readyz" => return text(StatusCode::OK, "ready\n"),
            path => {
                if let Some(admin) = self.0.admin.as_ref().filter(|_| Admin::has(path)) {
                    return Box::pin(admin.answer(parts, body)).await;
                }
                let unknown = || text(StatusCode::NOT_FOUND, "not found: the protocol is at /mcp\n");
                return self.0.gate.document(path).unwrap_or_else(unknown);
            }
        }
        let page = parts.headers.contains_key(ORIGIN).then(|| Box::new(parts.headers.clone()));
        let mut response = if parts.method == Method::OPTIONS {
            Response::new(ResponseBody::whole(""))
        } else {
            self.0.protocol(parts, body).await.unwrap_or_else(|refused| refused)
        };
        if let Some(page) = page {
            self.0.origins.share(&page, &mut response);
        }
        response
    }
}

impl Inner {
    /// Answers a message of the protocol; `Err` is an answer that comes before it is read.
    async fn protocol<B>(
        &self,
        parts: &mut Parts,
        body: B,
    ) -> Result<Response<ResponseBody>, Response<ResponseBody>>
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send + 'static,
        B::Error: std::fmt::Display,
    {
        let (taken, identity) = match self.arrive(parts, body).await? {
            Arrived::Taken(taken, identity) => (taken, identity),
            Arrived::Left(request, identity) => return Box::pin(self.behind(*request, identity)).await,
        };
        // Whoever goes away drops this future, and with it the function that it waits for.
        let written = taken.answer(&self.core, identity).await;
        let varies = self.coding.concerns(&written);
        let encoding = if varies { liked(&parts.headers) } else { None };
        let mut response = match encoding {
            Some(encoding) => Box::pin(self.coding.answer(encoding, written)).await,
            None => Response::new(ResponseBody::pieces(written.pieces())),
        };
        if varies {
            response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        Ok(response)
    }

    /// Finds out who calls, reads the message, and decides who answers it.
    async fn arrive<B>(&self, parts: &mut Parts, body: B) -> Result<Arrived, Response<ResponseBody>>
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send + 'static,
        B::Error: std::fmt::Display,
    {
        if self.core.stopping.is_cancelled() && parts.method == Method::POST {
            return Err(text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"));
        }
        if self.core.dispatch.answering.load(Relaxed) >= self.most {
            return Err(later(
                StatusCode::TOO_MANY_REQUESTS,
                "too many calls are under way (`MCP_MAX_CONCURRENCY`): try again later\n",
            ));
        }
        let identity = self.gate.identity(&parts.headers).await?;
        let seen = Headers::of(&parts.headers);
        // HTTP/2 has the host in `:authority` (RFC 9113, section 8.3.1).
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        let message = if parts.method != Method::POST {
            Bytes::new()
        } else if self.origins.are_trusted(seen.host.or(authority), seen.origin) {
            let body = body::read(body, self.largest).await.map_err(|unread| self.unread(&unread))?;
            if parts.headers.contains_key(CONTENT_ENCODING) {
                Box::pin(decoded(&parts.headers, body, self.largest)).await?
            } else {
                body
            }
        } else {
            // rmcp refuses it for its origin, whatever it says.
            Bytes::new()
        };
        if let Some(refusal) = self.gate.refusal(&self.core.dispatch.registry, &message, &identity) {
            return Err(refusal);
        }
        let arrival = Arrival::of(parts);
        if let Some(taken) = self.taken(&arrival, &seen, &parts.headers, &message) {
            return Ok(Arrived::Taken(taken, identity));
        }
        let mut head = std::mem::replace(parts, Request::new(()).into_parts().0);
        head.extensions.insert(Arc::new(Receipt::new(arrival)));
        head.headers.remove(CONTENT_ENCODING);
        Ok(Arrived::Left(Box::new(Request::from_parts(head, Full::new(message))), identity))
    }

    /// Takes a request onto the direct lane, or leaves it.
    fn taken(
        &self,
        arrival: &Arrival,
        seen: &Headers<'_>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Option<Taken> {
        let core = &*self.core;
        if !core.direct || !seen.are_plain() {
            return None;
        }
        let envelope = Envelope::read(std::str::from_utf8(body).ok()?)?;
        let era = envelope.era(None).filter(|_| seen.agree(core, headers, &envelope))?;
        Taken::new(core, arrival, &envelope, era)
    }

    /// Hands a request to rmcp, for whom its caller is an extension.
    async fn behind(
        &self,
        mut request: Request<Full<Bytes>>,
        identity: Identity,
    ) -> Result<Response<ResponseBody>, Response<ResponseBody>> {
        let fingerprint = identity.fingerprint();
        let session = Sessions::id(request.headers());
        if self.gate.knows_callers()
            && session.as_deref().is_some_and(|session| !self.sessions.belongs(session, fingerprint))
        {
            // To whom it does not belong, it does not exist.
            return Err(text(StatusCode::NOT_FOUND, "no such session: initialize a new one\n"));
        }
        if session.is_none() && self.sessions.is_full(request.headers()).await {
            return Err(later(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many sessions are open: try again later\n",
            ));
        }
        let ends = request.method() == Method::DELETE;
        request.extensions_mut().insert(identity);
        let kind = request.headers().get(CONTENT_TYPE);
        let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(JSON.as_bytes()));
        let message = request.body().clone();
        let receipt = request.extensions().get::<Arc<Receipt>>().cloned();
        let headers = request.headers().clone();

        let response = self.rmcp.handle(request).await;
        let unreadable_json = is_json && response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let refused = unreadable_json || refused::is_refusal(&response);
        if let Some(receipt) = receipt.filter(|receipt| refused && !receipt.is_heard()) {
            let message = message.collect().await.map(Collected::to_bytes).unwrap_or_default();
            let response =
                if unreadable_json { unreadable(&message) } else { response.map(ResponseBody::stream) };
            return Ok(refused::observe(&self.core, &receipt.arrival, &headers, &message, response).await);
        }
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
        let (mut parts, body) = request.into_parts();
        Box::pin(async move { Ok(service.answer(&mut parts, body).await) })
    }
}

/// Answers a message that rmcp cannot read, of which it says no more than that its media type is wrong.
fn unreadable(message: &[u8]) -> Response<ResponseBody> {
    let (code, reason) = match serde_json::from_slice::<serde_json::Value>(message) {
        Ok(_) => (-32600, "invalid request: this is no message of JSON-RPC 2.0".to_owned()),
        Err(error) => (-32700, format!("parse error: {error}")),
    };
    let error = serde_json::json!({ "jsonrpc": "2.0", "error": { "code": code, "message": reason } });
    json(StatusCode::BAD_REQUEST, error.to_string())
}

/// Makes an answer of a document that is JSON.
pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

pub(crate) fn text(status: StatusCode, text: &str) -> Response<ResponseBody> {
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
