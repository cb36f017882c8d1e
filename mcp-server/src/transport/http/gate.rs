//! Who may come in: what a request must show before it is looked at, and where one learns how to get it.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use mcp_core::registry::{Entry, Registry};
use mcp_core::{Failure, Identity};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::body::ResponseBody;
use super::service::{json, text};
use crate::auth::{Authenticator, Headers, challenge};
use crate::started::Core;

/// The way into a server.
pub(super) struct Gate {
    authenticator: Option<Arc<dyn Authenticator>>,
    /// Where the document of the protected resource is, and what it says (RFC 9728).
    document: Option<(String, Bytes)>,
    /// Whether some component asks for scopes.
    scoped: bool,
}

/// What a message is about; whatever else it holds is not looked at.
#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<Subject<'a>>,
}

#[derive(Deserialize)]
struct Subject<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    uri: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "ref")]
    reference: Option<Box<Subject<'a>>>,
}

impl Gate {
    pub(super) fn new(core: &Core) -> Self {
        let entries = core.dispatch.registry.entries();
        let mut scopes: Vec<_> = entries.iter().flat_map(|entry| entry.def.scopes).copied().collect();
        scopes.sort_unstable();
        scopes.dedup();
        let authenticator = core.authenticator.clone();
        let resource = authenticator.as_ref().and_then(|authenticator| authenticator.protected_resource());
        let document = resource.and_then(|resource| {
            let document = challenge::metadata(&resource, &scopes, &core.name);
            Some((challenge::metadata_url(&resource.resource)?, document.to_string().into()))
        });
        Self { authenticator, document, scoped: !scopes.is_empty() }
    }

    /// Returns the document of the protected resource, at its path and at the one without the resource's.
    pub(super) fn document(&self, path: &str) -> Option<Response<ResponseBody>> {
        let (url, document) = self.document.as_ref().filter(|_| path.starts_with(challenge::WELL_KNOWN))?;
        if path != challenge::WELL_KNOWN && !url.split('?').next().is_some_and(|url| url.ends_with(path)) {
            return None;
        }
        let mut response = json(StatusCode::OK, document.clone());
        // It is for everybody, and a client in a browser reads it before it has any rights.
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        Some(response)
    }

    /// Returns whether callers are told apart.
    pub(super) fn knows_callers(&self) -> bool {
        self.authenticator.is_some()
    }

    /// Finds out who calls.
    pub(super) async fn identity(&self, headers: &HeaderMap) -> Result<Identity, Response<ResponseBody>> {
        let Some(authenticator) = &self.authenticator else { return Ok(Identity::anonymous()) };
        authenticator.authenticate(&Headers::of(headers)).await.map_err(|refused| {
            if refused.is_unavailable() {
                let mut response = text(StatusCode::SERVICE_UNAVAILABLE, &format!("{}\n", refused.reason()));
                response.headers_mut().insert(RETRY_AFTER, challenge::RETRY_AFTER.as_secs().into());
                return response;
            }
            let challenge = challenge::unauthorized(self.metadata_url(), &refused);
            let reason = format!("unauthorized: {}", refused.reason());
            challenged(StatusCode::UNAUTHORIZED, None, &reason, &challenge)
        })
    }

    /// Refuses a message about a component whose scopes the caller lacks: here for both lanes, as a status
    /// cannot be taken back that rmcp has sent ahead of its stream.
    pub(super) fn refusal(
        &self,
        registry: &Registry,
        message: &[u8],
        identity: &Identity,
    ) -> Option<Response<ResponseBody>> {
        if !self.scoped {
            return None;
        }
        let asked: Asked<'_> = serde_json::from_slice(message).ok()?;
        let entry = asked.entry(registry)?;
        let Err(Failure::Forbidden(scopes)) = entry.allow(identity) else { return None };
        let challenge = challenge::insufficient_scope(self.metadata_url(), scopes);
        let reason = format!("`{}` needs the scope `{}`", entry.def.name, scopes.join(" "));
        Some(challenged(StatusCode::FORBIDDEN, asked.id, &reason, &challenge))
    }

    fn metadata_url(&self) -> Option<&str> {
        self.document.as_ref().map(|(url, _)| url.as_str())
    }
}

impl Asked<'_> {
    fn entry<'a>(&self, registry: &'a Registry) -> Option<&'a Arc<Entry>> {
        let subject = self.params.as_ref()?;
        match &*self.method {
            "tools/call" => registry.tool(subject.name.as_deref()?),
            "prompts/get" => registry.prompt(subject.name.as_deref()?),
            "resources/read" | "resources/subscribe" => {
                registry.resource(subject.uri.as_deref()?).map(|(entry, _)| entry)
            }
            "completion/complete" => {
                let reference = subject.reference.as_deref()?;
                match (&reference.name, &reference.uri) {
                    (Some(name), _) => registry.prompt(name),
                    (None, uri) => registry.resource_declared(uri.as_deref()?),
                }
            }
            _ => None,
        }
    }
}

fn challenged(
    status: StatusCode,
    id: Option<&RawValue>,
    reason: &str,
    challenge: &str,
) -> Response<ResponseBody> {
    let mut body = json!({ "jsonrpc": "2.0", "error": { "code": -32600, "message": reason } });
    if let Some(id) = id.and_then(|id| serde_json::to_value(id).ok()) {
        body["id"] = id;
    }
    let mut response = json(status, body.to_string());
    if let Ok(challenge) = HeaderValue::from_str(challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
