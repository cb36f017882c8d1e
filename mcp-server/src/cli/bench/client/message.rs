//! Requests, written once and sent often.

use serde_json::{Map, Value, json};

use crate::cli::bench::in_process::texts;
use crate::cli::bench::target::{Kind, Target};

/// The revision whose requests need no handshake.
pub(super) const MODERN: &str = "2026-07-28";

/// The last revision with one.
pub(super) const LEGACY: &str = "2025-11-25";

/// Which of the two a server is spoken to in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    Modern,
    Legacy,
}

/// A request but for its id.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "http"),
    allow(dead_code, reason = "only HTTP has the method and the name in headers")
)]
pub(super) struct Message {
    pub(super) method: &'static str,
    /// The name or the URI that it is about.
    pub(super) name: Option<String>,
    after: String,
}

impl Message {
    pub(super) fn new(era: Era, method: &'static str, mut params: Map<String, Value>) -> Self {
        let name = ["name", "uri"].iter().find_map(|key| params.get(*key)?.as_str());
        let name = name.map(ToOwned::to_owned);
        if era == Era::Modern {
            params.insert(
                "_meta".to_owned(),
                json!({
                    "io.modelcontextprotocol/protocolVersion": MODERN,
                    "io.modelcontextprotocol/clientInfo": client(),
                    "io.modelcontextprotocol/clientCapabilities": {},
                }),
            );
        }
        let params = Value::Object(params);
        Self { method, name, after: format!(",\"method\":\"{method}\",\"params\":{params}}}") }
    }

    /// Makes the requests that call a component, one for each of its arguments.
    pub(super) fn calls(era: Era, target: &Target) -> Vec<Self> {
        let each = target.arguments.iter().map(|arguments| {
            let (method, params) = match target.kind {
                Kind::Tool => ("tools/call", json!({ "name": target.name, "arguments": arguments })),
                Kind::Resource => ("resources/read", json!({ "uri": target.name })),
                Kind::Prompt => {
                    let texts = texts(arguments.clone()).into_iter().map(|(name, text)| (name, text.into()));
                    let texts: Map<String, Value> = texts.collect();
                    ("prompts/get", json!({ "name": target.name, "arguments": texts }))
                }
            };
            Self::new(era, method, params.as_object().cloned().unwrap_or_default())
        });
        each.collect()
    }

    /// Makes the handshake of the revisions that have one.
    pub(super) fn initialize() -> Self {
        let params = json!({ "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client() });
        Self::new(Era::Legacy, "initialize", params.as_object().cloned().unwrap_or_default())
    }

    /// Returns the text of the request.
    pub(super) fn text(&self, id: u64) -> String {
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id}{}", self.after)
    }
}

fn client() -> Value {
    json!({ "name": "bench", "version": env!("CARGO_PKG_VERSION") })
}

/// What ends the handshake.
pub(super) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
