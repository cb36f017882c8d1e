//! The way of a request.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::access::Access;
use super::data;
use super::live::{self, Live};
use super::page::{coded, text};
use super::routes::Route;
use crate::metrics::{Exposition, Format};
use crate::started::Core;
use crate::transport::http::ResponseBody;

/// Files come from here, data go nowhere else, and nothing that stands in the page itself is run.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The routes of one listener.
pub(crate) struct Admin {
    /// A server may be dropped while its listener waits.
    core: Weak<Core>,
    access: Access,
    exposition: Exposition,
    live: Arc<Live>,
}

impl Admin {
    pub(crate) fn new(core: &Arc<Core>) -> Arc<Self> {
        let weak = Arc::downgrade(core);
        Arc::new(Self {
            access: Access::new(&core.dispatch.config, &core.guesses),
            exposition: Exposition::new(&weak),
            live: Live::new(Weak::clone(&weak), core.stopping.clone()),
            core: weak,
        })
    }

    /// Returns whether a path is one of these routes, or would be.
    pub(crate) fn has(path: &str) -> bool {
        path == "/metrics" || path == "/dashboard" || path.starts_with("/dashboard/")
    }

    /// Answers a request.
    pub(crate) async fn answer<B>(self: &Arc<Self>, parts: &Parts, body: B) -> Response<ResponseBody>
    where
        B: http_body::Body,
        B::Error: std::fmt::Display,
    {
        let mut response = self.routed(parts, body).await.unwrap_or_else(|refused| refused);
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        response
    }

    /// `Err` is a refusal.
    async fn routed<B>(
        self: &Arc<Self>,
        parts: &Parts,
        body: B,
    ) -> Result<Response<ResponseBody>, Response<ResponseBody>>
    where
        B: http_body::Body,
        B::Error: std::fmt::Display,
    {
        if let Some(refusal) = self.access.misaddressed(parts) {
            return Err(refusal);
        }
        let route = Route::of(parts.uri.path())
            .ok_or_else(|| text(StatusCode::NOT_FOUND, "not found: there are /metrics and /dashboard\n"))?;
        if !route.takes(&parts.method) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(route.allows()));
            return Err(response);
        }
        if !route.is_open() {
            self.access.authorize(&parts.headers).await?;
        }
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let headers = &parts.headers;
        match route {
            Route::Asset(asset) => Ok(asset.response(headers)),
            Route::Login => self.access.login(headers, body).await,
            Route::Events if parts.method == Method::HEAD => Ok(live::head(ResponseBody::whole(""))),
            Route::Events => {
                self.live.read().ok_or_else(|| later("too many readers: close a page, or try again later\n"))
            }
            Route::Metrics => self.metrics(headers).await,
            Route::Report => self.data(headers, JSON, data::report).await,
            Route::Text => self.data(headers, TEXT, data::text).await,
            Route::Component => {
                let unknown = "no such component: ask with `?kind=tool&name=search`\n";
                self.found(headers, unknown, move |core| data::component(core, &query)).await
            }
            Route::Slow => {
                let unknown = "no such call: it was not slow, or has made room for others\n";
                self.found(headers, unknown, move |core| data::slow(core, &query)).await
            }
        }
    }

    async fn metrics(
        self: &Arc<Self>,
        headers: &HeaderMap,
    ) -> Result<Response<ResponseBody>, Response<ResponseBody>> {
        let format = Format::liked(headers);
        let admin = Arc::clone(self);
        let written = self.worked(move |_| admin.exposition.write(format).ok().map(Bytes::from)).await?;
        // No figures are better than none that are right: a scrape that fails is seen.
        let written = written.ok_or_else(stopped)?;
        Ok(coded(headers, written, HeaderValue::from_static(format.media_type())).await)
    }

    async fn data(
        &self,
        headers: &HeaderMap,
        media_type: HeaderValue,
        make: impl FnOnce(&Core) -> Bytes + Send + 'static,
    ) -> Result<Response<ResponseBody>, Response<ResponseBody>> {
        let made = self.worked(make).await?;
        Ok(coded(headers, made, media_type).await)
    }

    async fn found(
        &self,
        headers: &HeaderMap,
        unknown: &str,
        find: impl FnOnce(&Core) -> Option<Bytes> + Send + 'static,
    ) -> Result<Response<ResponseBody>, Response<ResponseBody>> {
        let found = self.worked(find).await?.ok_or_else(|| text(StatusCode::NOT_FOUND, unknown))?;
        Ok(coded(headers, found, JSON).await)
    }

    /// Does what takes milliseconds of a thousand components, in a thread that may be kept.
    async fn worked<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Core) -> T + Send + 'static,
    ) -> Result<T, Response<ResponseBody>> {
        let core = self.core.upgrade().filter(|core| !core.stopping.is_cancelled()).ok_or_else(stopped)?;
        tokio::task::spawn_blocking(move || work(&core)).await.map_err(|error| {
            tracing::error!(%error, "a report was not made");
            text(StatusCode::INTERNAL_SERVER_ERROR, "the report was not made\n")
        })
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

fn stopped() -> Response<ResponseBody> {
    later("the server has stopped\n")
}

fn later(reason: &str) -> Response<ResponseBody> {
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, reason);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
