//! What a message wants, in words that there is a fixed number of.

use std::fmt;

use mcp_core::registry::{Entry, Registry};
use rmcp::model::RequestId;

/// What a request or a notification wants.
#[derive(Clone, Copy, Default)]
#[cfg_attr(not(feature = "otel"), allow(dead_code, reason = "a part of it is for spans alone"))]
pub(crate) struct Asked<'a> {
    pub(crate) method: Method,
    pub(crate) target: Target<'a>,
    pub(crate) revision: Revision,
    /// The URI of a resource.
    pub(crate) uri: Option<&'a str>,
    /// The id of a request; a notification has none.
    pub(crate) id: Option<Id<'a>>,
    pub(crate) session: Option<&'a str>,
    pub(crate) traceparent: Option<&'a str>,
    pub(crate) tracestate: Option<&'a str>,
}

/// The id of a request.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "otel"), allow(dead_code, reason = "it is for spans alone"))]
pub(crate) enum Id<'a> {
    /// As it stands in the message.
    Written(&'a str),
    Given(&'a RequestId),
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written(text) => f.write_str(text.trim_matches('"')),
            Self::Given(id) => id.fmt(f),
        }
    }
}

impl<'a> Asked<'a> {
    /// Begins with a method and the revision of the protocol that it is in.
    pub(crate) fn new(method: &str, revision: Option<&str>) -> Self {
        Self { method: Method::of(method), revision: Revision::of(revision), ..Self::default() }
    }

    /// Adds the component that is wanted, if that has a name of its own.
    pub(crate) fn of_entry(mut self, entry: &'a Entry) -> Self {
        if self.method.has_target() {
            self.target = Target::Component(entry);
        }
        self
    }

    /// Adds the URI of the resource that is wanted, if the method has one.
    pub(crate) fn of_uri(mut self, uri: Option<&'a str>) -> Self {
        if matches!(self.method.name(), "resources/read" | "resources/subscribe" | "resources/unsubscribe") {
            self.uri = uri;
        }
        self
    }

    /// Adds the name of what is wanted, if the method has one.
    pub(crate) fn named(mut self, registry: &'a Registry, name: &str) -> Self {
        let entry = match self.method.name() {
            "tools/call" => registry.tool(name),
            "prompts/get" => registry.prompt(name),
            _ => return self,
        };
        self.target = entry.map_or(Target::Unknown, |entry| Target::Component(entry));
        self
    }
}

/// A method of the protocol, or none of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Method(u8);

/// The methods that there are, the most frequent first; what clients make up is the last.
const METHODS: [&str; Method::COUNT] = [
    "tools/call",
    "resources/read",
    "prompts/get",
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "prompts/list",
    "server/discover",
    "initialize",
    "ping",
    "completion/complete",
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
    "notifications/message",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/tools/list_changed",
    "notifications/subscriptions/acknowledged",
    "elicitation/create",
    "roots/list",
    "sampling/createMessage",
    Method::OTHER,
];

impl Method {
    pub(super) const COUNT: usize = 29;
    pub(super) const OTHER: &str = "_OTHER";

    fn of(name: &str) -> Self {
        // Most are this one, and to compare with what is known here costs a third.
        if name == "tools/call" {
            return Self(0);
        }
        Self(METHODS.iter().position(|known| *known == name).unwrap_or(Self::COUNT - 1) as u8)
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    pub(super) fn name(self) -> &'static str {
        METHODS.get(self.index()).copied().unwrap_or(Self::OTHER)
    }

    pub(super) fn is_tool_call(self) -> bool {
        self.0 == 0
    }

    fn has_target(self) -> bool {
        matches!(self.name(), "tools/call" | "prompts/get")
    }
}

impl Default for Method {
    fn default() -> Self {
        Self(Self::COUNT as u8 - 1)
    }
}

/// The tool or the prompt that is wanted.
#[derive(Clone, Copy, Default)]
pub(crate) enum Target<'a> {
    #[default]
    None,
    Component(&'a Entry),
    /// One that this server does not have.
    Unknown,
}

#[cfg(feature = "otel")]
impl Target<'_> {
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Component(entry) => Some(entry.def.name),
            Self::Unknown => Some(Method::OTHER),
        }
    }
}

/// A revision of the protocol that is known.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Revision(u8);

const REVISIONS: [&str; Revision::COUNT - 1] =
    ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];

impl Revision {
    pub(super) const COUNT: usize = 6;

    pub(super) fn of(name: Option<&str>) -> Self {
        if name == Some("2026-07-28") {
            return Self(Self::COUNT as u8 - 1);
        }
        let known = name.and_then(|name| REVISIONS.iter().rposition(|known| *known == name));
        Self(known.map_or(0, |index| index as u8 + 1))
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    pub(super) fn name(self) -> Option<&'static str> {
        REVISIONS.get(self.index().wrapping_sub(1)).copied()
    }

    /// Returns whether it has sessions, as all have before 2026-07-28.
    #[cfg(feature = "otel")]
    pub(super) fn has_sessions(self) -> bool {
        self.index() < Self::COUNT - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_one_of_the_protocol_or_other() {
        for name in METHODS {
            assert_eq!(Method::of(name).name(), name);
        }
        for name in ["", "tools/Call", "lane/opening", "tasks/get"] {
            assert_eq!(Method::of(name).name(), "_OTHER");
        }
        assert!(Method::of("tools/call").is_tool_call());
    }

    #[test]
    fn a_revision_is_known_or_none() {
        for name in REVISIONS {
            assert_eq!(Revision::of(Some(name)).name(), Some(name));
        }
        assert_eq!(Revision::of(Some("2099-01-01")).name(), None);
        assert_eq!(Revision::of(None).name(), None);
    }
}
