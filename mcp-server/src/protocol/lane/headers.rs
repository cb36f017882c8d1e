//! Whether the headers of a request say what its body says (SEP-2243).

use http::HeaderMap;
use serde_json::Value;

use super::envelope::{Envelope, Era};
use crate::protocol::lists::Mirror;
use crate::started::Core;

/// Returns whether the headers agree with a request of revision 2026-07-28 beyond doubt.
pub(crate) fn agree(core: &Core, headers: &HeaderMap, envelope: &Envelope<'_>) -> bool {
    let params = &envelope.params;
    let named = match envelope.method {
        "tools/call" | "prompts/get" => params.name.as_deref(),
        "resources/read" => params.uri.as_deref(),
        _ => None,
    };
    only(headers, "mcp-protocol-version") == Some(Era::Modern.revision())
        && only(headers, "mcp-method") == Some(envelope.method)
        && named.is_none_or(|named| mirrors(headers, "mcp-name", named))
        && (envelope.method != "tools/call" || arguments_agree(core, headers, envelope))
}

/// Returns whether the arguments that a tool wants in headers are there, and no others of them.
fn arguments_agree(core: &Core, headers: &HeaderMap, envelope: &Envelope<'_>) -> bool {
    let mirrored = envelope.params.name.as_deref().map_or(&[][..], |name| core.lists.mirrors(name));
    if mirrored.is_empty() {
        return true;
    }
    let arguments = envelope.params.arguments.map(|raw| serde_json::from_str::<Value>(raw.get()));
    let Some(Ok(arguments)) = arguments.or(Some(Ok(Value::Null))) else { return false };
    mirrored.iter().all(|Mirror { path, header }| {
        let value = path.iter().try_fold(&arguments, |value, step| value.get(step));
        let text = match value {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Bool(yes)) => Some(yes.to_string()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        match text {
            Some(text) => mirrors(headers, header, &text),
            None => !headers.contains_key(header),
        }
    })
}

/// Returns whether a header that comes once holds a text as it is; Base64 is left to rmcp.
fn mirrors(headers: &HeaderMap, name: &str, text: &str) -> bool {
    only(headers, name).is_some_and(|value| value == text && !value.starts_with("=?base64?"))
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}
