//! The form of a message that the lane takes: read in one pass, borrowing, with the arguments left raw.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use rmcp::model::{ClientCapabilities, ProtocolVersion};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::operation::{Asked, Id};

/// A request. Members that no hot method has are left to rmcp, and so are members that come twice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Envelope<'a> {
    jsonrpc: &'a str,
    #[serde(borrow)]
    id: &'a RawValue,
    pub(crate) method: &'a str,
    #[serde(borrow, default)]
    pub(crate) params: ByName<Params<'a>>,
}

/// The parameters of all hot methods.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params<'a> {
    #[serde(borrow, default)]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) uri: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) arguments: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_meta")]
    meta: ByName<Meta<'a>>,
}

/// What is written as an object, and never as an array.
#[derive(Default)]
pub(crate) struct ByName<T>(pub(crate) T);

impl<T> std::ops::Deref for ByName<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByName<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = ByName<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(ByName)
            }
        }

        deserializer.deserialize_map(Visitor(std::marker::PhantomData))
    }
}

#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<&'a str>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<&'a RawValue>,
    #[cfg(feature = "otel")]
    #[serde(borrow, default)]
    traceparent: Option<&'a str>,
    #[cfg(feature = "otel")]
    #[serde(borrow, default)]
    tracestate: Option<&'a str>,
}

/// The rules that a request is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// Since 2026-07-28: each request says all that there is to know.
    Modern,
    /// Before: what the handshake settled.
    Legacy(&'static str),
}

impl<'a> Envelope<'a> {
    /// Reads a message; `None` where it is none that the lane takes.
    pub(crate) fn read(message: &'a str) -> Option<Self> {
        let ByName(envelope): ByName<Self> = serde_json::from_str(message).ok()?;
        (envelope.jsonrpc == "2.0" && is_plain_id(envelope.id.get())).then_some(envelope)
    }

    /// Returns what it wants, but for the component; `era`: the rules that it is under.
    pub(super) fn asked(&self, era: Era) -> Asked<'_> {
        Asked {
            id: Some(Id::Written(self.id.get())),
            #[cfg(feature = "otel")]
            traceparent: self.params.meta.traceparent,
            #[cfg(feature = "otel")]
            tracestate: self.params.meta.tracestate,
            ..Asked::new(self.method, Some(era.revision())).of_uri(self.params.uri.as_deref())
        }
    }

    /// Returns the id as it was written.
    pub(crate) fn id(&self) -> &'a str {
        self.id.get()
    }

    /// Returns the rules that it is under; `session`: the revision of the handshake, where there was one.
    pub(crate) fn era(&self, session: Option<&'static str>) -> Option<Era> {
        let Meta { version, capabilities, .. } = &*self.params.meta;
        match version {
            Some(version) if *version == Era::Modern.revision() => {
                let capabilities = capabilities.as_ref()?.get();
                let valid =
                    capabilities == "{}" || serde_json::from_str::<ClientCapabilities>(capabilities).is_ok();
                valid.then_some(Era::Modern)
            }
            Some(_) => None,
            None => session.map(Era::Legacy),
        }
    }
}

impl Era {
    /// Returns the revision, as the protocol writes it.
    pub(crate) fn revision(self) -> &'static str {
        match self {
            Self::Modern => "2026-07-28",
            Self::Legacy(revision) => revision,
        }
    }

    pub(crate) fn is_modern(self) -> bool {
        self == Self::Modern
    }
}

/// The revision that the handshake of a connection has settled on, where there has been one.
#[derive(Default)]
pub(crate) struct Settled(AtomicUsize);

/// The revisions with a handshake that the lane knows.
///
/// Those before lack kinds of content that a result may hold, and are left to rmcp.
const WITH_HANDSHAKE: [&str; 2] = ["2025-06-18", "2025-11-25"];

impl Settled {
    /// Notes the revision of a handshake that is over.
    pub(crate) fn set(&self, version: &ProtocolVersion) {
        let known = WITH_HANDSHAKE.iter().position(|known| *known == version.as_str());
        self.0.store(known.map_or(0, |index| index + 1), Ordering::Release);
    }

    /// Forgets the revision: another handshake has begun.
    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Release);
    }

    pub(crate) fn revision(&self) -> Option<&'static str> {
        WITH_HANDSHAKE.get(self.0.load(Ordering::Acquire).wrapping_sub(1)).copied()
    }
}

/// Returns whether an id can be sent back as it was written, and compared as text.
fn is_plain_id(id: &str) -> bool {
    match id.as_bytes() {
        [b'"', text @ .., b'"'] => !text.contains(&b'\\'),
        b"-0" => false,
        _ => id.parse::<i64>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, meta: &str, rest: &str) -> String {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"add","_meta":{meta}{rest}}}}}"#
        )
    }

    const META: &str = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

    #[test]
    fn it_takes_only_ids_that_need_no_thought() {
        for (id, taken) in [
            ("1", true),
            ("-7", true),
            (r#""a""#, true),
            (r#""é""#, true),
            ("1.0", false),
            ("1e2", false),
            ("-0", false),
            ("9223372036854775808", false),
            (r#""\u0061""#, false),
            ("null", false),
            ("[1]", false),
        ] {
            assert_eq!(Envelope::read(&message(id, META, "")).is_some(), taken, "{id}");
        }
    }

    #[test]
    fn it_leaves_what_it_does_not_know() {
        let taken = |text: &str| Envelope::read(text).is_some();
        assert!(taken(&message("1", META, r#","arguments":{}"#)));
        assert!(!taken(&message("1", META, r#","task":{}"#)));
        assert!(!taken(&message("1", META, r#","requestState":"s""#)));
        assert!(!taken(&message("1", META, r#","name":"twice""#)));
        assert!(!taken(&message("1", META, "").replace("2.0", "1.0")));
        assert!(!taken(r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#));
        assert!(!taken(r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]"#));
        assert!(!taken(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":null}"#));
    }

    #[test]
    fn the_era_is_that_of_the_request_or_of_the_session() {
        let era = |meta: &str, session| Envelope::read(&message("1", meta, "")).unwrap().era(session);
        assert_eq!(era(META, None), Some(Era::Modern));
        assert_eq!(era(META, Some("2025-11-25")), Some(Era::Modern));
        assert_eq!(era("{}", None), None);
        assert_eq!(era("{}", Some("2025-11-25")), Some(Era::Legacy("2025-11-25")));
        assert_eq!(era(&META.replace("2026-07-28", "2025-11-25"), None), None);
        assert_eq!(era(&META.replace("{}", "[]"), None), None);
        assert_eq!(era(r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#, None), None);
    }
}
