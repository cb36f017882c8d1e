//! The headers that decide about a request, looked up once, and whether they say what its body says.

use http::HeaderMap;
use serde_json::Value;

use super::envelope::{Envelope, Era};
use crate::protocol::lists::Mirror;
use crate::started::Core;

/// The headers of a request that the lane looks at, each `None` where it is not there or no text.
#[derive(Default)]
pub(crate) struct Headers<'a> {
    pub(crate) host: Option<&'a str>,
    pub(crate) origin: Option<&'a str>,
    content_type: Option<&'a str>,
    accept: Option<&'a str>,
    version: Option<&'a str>,
    method: Option<&'a str>,
    name: Option<&'a str>,
    /// Whether something is there that the lane is not made for: a session, a header that comes twice
    /// or is no text.
    odd: bool,
}

impl<'a> Headers<'a> {
    /// Looks at each header once: a lookup by name costs as much as to pass by all of the others.
    pub(crate) fn of(headers: &'a HeaderMap) -> Self {
        let mut found = Self::default();
        for (name, value) in headers {
            let slot = match name.as_str() {
                "host" => &mut found.host,
                "origin" => &mut found.origin,
                "content-type" => &mut found.content_type,
                "accept" => &mut found.accept,
                "mcp-protocol-version" => &mut found.version,
                "mcp-method" => &mut found.method,
                "mcp-name" => &mut found.name,
                "mcp-session-id" => {
                    found.odd = true;
                    continue;
                }
                _ => continue,
            };
            let text = value.to_str().ok();
            found.odd |= text.is_none() || slot.is_some();
            *slot = text;
        }
        found
    }

    /// Returns whether it is a request of revision 2026-07-28 beyond doubt: JSON, from a client that
    /// takes both JSON and an event stream, without weights.
    pub(crate) fn are_plain(&self) -> bool {
        let is_json = |kind: &str| kind.trim().eq_ignore_ascii_case("application/json");
        let sends = self.content_type.is_some_and(|kind| is_json(kind.split(';').next().unwrap_or(kind)));
        let accepts = self.accept.is_some_and(|accepted| {
            let takes = |kind| accepted.split(',').any(|one| one.trim().eq_ignore_ascii_case(kind));
            !accepted.contains([';', '"']) && takes("application/json") && takes("text/event-stream")
        });
        !self.odd && self.version == Some(Era::Modern.revision()) && sends && accepts
    }

    /// Returns whether they agree with the body (SEP-2243).
    pub(crate) fn agree(&self, core: &Core, headers: &HeaderMap, envelope: &Envelope<'_>) -> bool {
        let params = &envelope.params;
        let named = match envelope.method {
            "tools/call" | "prompts/get" => params.name.as_deref(),
            "resources/read" => params.uri.as_deref(),
            _ => None,
        };
        self.method == Some(envelope.method)
            && named.is_none_or(|named| self.name.is_some_and(|name| is_plainly(name, named)))
            && (envelope.method != "tools/call" || self.mirror(core, headers, envelope))
    }

    /// Returns whether the arguments that a tool wants in headers are there, and no others of them.
    fn mirror(&self, core: &Core, headers: &HeaderMap, envelope: &Envelope<'_>) -> bool {
        let wanted = envelope.params.name.as_deref().map_or(&[][..], |name| core.lists.mirrors(name));
        if wanted.is_empty() {
            return true;
        }
        let raw = envelope.params.arguments.map_or("{}", |raw| raw.get());
        let Ok(arguments) = serde_json::from_str::<Value>(raw) else { return false };
        wanted.iter().all(|Mirror { path, header }| {
            let text = match path.iter().try_fold(&arguments, |value, step| value.get(step)) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Bool(yes)) => Some(yes.to_string()),
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            };
            let mut values = headers.get_all(header).iter();
            match (text, values.next(), values.next()) {
                (None, None, _) => true,
                (Some(text), Some(value), None) => value.to_str().is_ok_and(|value| is_plainly(value, &text)),
                _ => false,
            }
        })
    }
}

/// Returns whether a header's value is a text as it is; Base64 is left to rmcp.
fn is_plainly(value: &str, text: &str) -> bool {
    value == text && !value.starts_with("=?base64?")
}
