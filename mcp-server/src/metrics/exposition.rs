//! The text of a scrape, in the format that was asked for.

use std::fmt;
use std::sync::{Arc, Weak};

use http::HeaderMap;
use http::header::ACCEPT;
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

use super::components::Components;
use super::server::Server;
use crate::operation::OperationDurations;
use crate::started::Core;

/// What a server exposes to Prometheus.
pub(crate) struct Exposition(Registry);

impl Exposition {
    pub(crate) fn new(core: &Weak<Core>) -> Self {
        let mut registry = Registry::default();
        // All families come from collectors, which are registered here and nowhere else.
        registry.register_collector(Box::new(Components::new(Weak::clone(core))));
        registry.register_collector(Box::new(Server::new(Weak::clone(core))));
        if let Some(core) = core.upgrade() {
            registry.register_collector(Box::new(OperationDurations(Arc::clone(&core.dispatch.operations))));
        }
        Self(registry)
    }

    /// Writes all families.
    ///
    /// # Errors
    ///
    /// Fails where the server is gone.
    pub(crate) fn write(&self, format: Format) -> Result<String, fmt::Error> {
        let mut text = String::new();
        match format {
            Format::OpenMetrics => text::encode(&mut text, &self.0)?,
            Format::Text => prometheus_text::encode(&mut text, &self.0)?,
        }
        Ok(text)
    }
}

/// How a scrape is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// The text format of Prometheus, 0.0.4.
    Text,
}

impl Format {
    /// Returns the format that an `Accept` likes best; the text format where it does not say.
    pub(crate) fn liked(headers: &HeaderMap) -> Self {
        let (mut open, mut text) = (0.0, 0.0);
        let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for range in accepted.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let parameters: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
            let value =
                |name: &str| parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|it| it.1);
            let weight = value("q").map_or(Some(1.0), |weight| weight.parse::<f32>().ok()).unwrap_or(0.0);
            let version = value("version").unwrap_or("1.0.0");
            if kind.eq_ignore_ascii_case("application/openmetrics-text") && version == "1.0.0" {
                open = weight.max(open);
            } else if kind.eq_ignore_ascii_case("text/plain") {
                text = weight.max(text);
            }
        }
        if open > 0.0 && open >= text { Self::OpenMetrics } else { Self::Text }
    }

    /// Returns the media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => prometheus_text::CONTENT_TYPE,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_format_is_the_one_that_is_liked_best() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                          text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, format) in [
            (prometheus, Format::OpenMetrics),
            ("application/openmetrics-text; version=1.0.0", Format::OpenMetrics),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("application/openmetrics-text; version=2.0.0", Format::Text),
            ("application/openmetrics-text;q=0, */*", Format::Text),
            ("application/openmetrics-text;q=0.1, text/plain", Format::Text),
            ("text/html", Format::Text),
            ("*/*", Format::Text),
            ("", Format::Text),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).unwrap())]);
            assert_eq!(Format::liked(&headers), format, "{accept}");
        }
    }
}
