//! What there is.

use http::Method;

use super::assets::{self, Asset};

/// What a request asks for.
#[derive(Clone, Copy)]
pub(super) enum Route {
    Metrics,
    Login,
    Report,
    Text,
    Component,
    Slow,
    Events,
    /// A file, the page itself among them.
    Asset(&'static Asset),
}

impl Route {
    /// Returns what is at a path.
    pub(super) fn of(path: &str) -> Option<Self> {
        if path == "/metrics" {
            return Some(Self::Metrics);
        }
        match path.strip_prefix("/dashboard")? {
            "" | "/" => Some(Self::Asset(&assets::PAGE)),
            "/login" => Some(Self::Login),
            "/report.json" => Some(Self::Report),
            "/report.txt" => Some(Self::Text),
            "/component.json" => Some(Self::Component),
            "/slow.json" => Some(Self::Slow),
            "/events" => Some(Self::Events),
            file => assets::ASSETS
                .iter()
                .find(|asset| Some(asset.name) == file.strip_prefix('/'))
                .map(Self::Asset),
        }
    }

    /// Returns the methods that it takes.
    pub(super) const fn allows(self) -> &'static str {
        match self {
            Self::Login => "POST",
            _ => "GET, HEAD",
        }
    }

    /// Returns whether it takes a method.
    pub(super) fn takes(self, method: &Method) -> bool {
        self.allows().split(", ").any(|allowed| method == allowed)
    }

    /// Returns whether it is for everybody: what one needs to show a token.
    pub(super) fn is_open(self) -> bool {
        match self {
            Self::Login => true,
            Self::Asset(asset) => asset.is_open,
            _ => false,
        }
    }
}
