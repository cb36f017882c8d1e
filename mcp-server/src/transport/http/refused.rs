//! Requests that rmcp refuses before its handler hears of them, observed where the answer goes out.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use mcp_core::registry::Registry;
use rmcp::model::ErrorData;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::body::ResponseBody;
use crate::operation::{Arrival, Asked, Ended, Id};
use crate::started::Core;

/// What is looked at in a message that was refused, whatever else it holds.
#[derive(Default, Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<Params<'a>>,
}

#[derive(Default, Deserialize)]
struct Params<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    uri: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<Meta<'a>>,
}

#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default)]
    traceparent: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tracestate: Option<Cow<'a, str>>,
}

/// The answer to it.
#[derive(Deserialize)]
struct Refusal {
    error: ErrorData,
}

/// Observes a request that was answered with an error of the protocol, and hands the answer on.
pub(super) async fn observe<B>(
    core: &Core,
    arrival: &Arrival,
    headers: &HeaderMap,
    message: &[u8],
    response: Response<B>,
) -> Response<ResponseBody>
where
    B: http_body::Body<Data = Bytes, Error = std::convert::Infallible> + Send + 'static,
{
    let (head, body) = response.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes);
    if let Ok(refusal) = serde_json::from_slice::<Refusal>(&body) {
        let message: Message<'_> = serde_json::from_slice(message).unwrap_or_default();
        let ended = Ended::of(&Err::<(), _>(refusal.error), false);
        core.operations
            .operation(core.operations.begin(arrival, &asked(&core.dispatch.registry, &message, headers)))
            .finish(&ended);
    }
    Response::from_parts(head, ResponseBody::whole(body))
}

fn asked<'a>(registry: &'a Registry, message: &'a Message<'_>, headers: &'a HeaderMap) -> Asked<'a> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let params = message.params.as_ref();
    let meta = params.and_then(|params| params.meta.as_ref());
    let asked = Asked {
        id: message.id.map(RawValue::get).filter(|id| is_id(id)).map(Id::Written),
        session: header("mcp-session-id"),
        traceparent: meta.and_then(|meta| meta.traceparent.as_deref()),
        tracestate: meta.and_then(|meta| meta.tracestate.as_deref()),
        ..Asked::new(message.method.as_deref().unwrap_or_default(), header("mcp-protocol-version"))
    };
    let asked = asked.of_uri(params.and_then(|params| params.uri.as_deref()));
    match params.and_then(|params| params.name.as_deref()) {
        Some(name) => asked.named(registry, name),
        None => asked,
    }
}

/// Returns whether it is an id that a request may have.
fn is_id(text: &str) -> bool {
    text.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}

/// Returns whether an answer is an error of the protocol and nothing else.
pub(super) fn is_refusal<B>(response: &Response<B>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    response.status().is_client_error()
        && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}
