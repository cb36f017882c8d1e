//! The tables of known keys, and what is said about a key that is not in its table.

use crate::errors::{listed, nearest};

/// One of the five attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Tool,
    Resource,
    Prompt,
    Provider,
    Schema,
}

/// A place where keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Directly in an attribute.
    Top(Attribute),
    /// In `cache(..)` of an attribute.
    Cache(Attribute),
    /// In `background(..)`.
    Background,
}

const COMMON: &[&str] = &[
    "name",
    "title",
    "description",
    "icons",
    "meta",
    "crate",
    "slow",
    "timeout",
    "blocking",
    "concurrency",
    "scopes",
    "profile",
    "hidden",
];
const TOOL: &[&str] =
    &["read_only", "destructive", "idempotent", "open_world", "cache", "invalidates", "background"];
const RESOURCE: &[&str] = &["uri", "mime", "cacheable", "cache", "invalidates", "list", "complete"];
const PROMPT: &[&str] = &["cache", "complete"];
const PROVIDER: &[&str] = &["preload", "pool", "crate"];
const SCHEMA: &[&str] = &["crate"];
const CACHE: &[&str] = &[
    "ttl",
    "scope",
    "tags",
    "stale",
    "stale_if_error",
    "refresh_ahead",
    "negative",
    "key",
    "skip",
    "when",
    "unless",
    "levels",
    "max_bytes",
    "version",
];
const BACKGROUND: &[&str] = &["threshold", "input", "priority", "retries"];

impl Attribute {
    /// Returns the word as it is written: `tool`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Prompt => "prompt",
            Self::Provider => "provider",
            Self::Schema => "schema",
        }
    }

    /// Returns the key under which it caches.
    pub(crate) fn cache_key(self) -> &'static str {
        if self == Self::Resource { "cacheable" } else { "cache" }
    }

    fn own(self) -> &'static [&'static str] {
        match self {
            Self::Tool => TOOL,
            Self::Resource => RESOURCE,
            Self::Prompt => PROMPT,
            Self::Provider => PROVIDER,
            Self::Schema => SCHEMA,
        }
    }

    fn keys(self) -> Vec<&'static str> {
        let common = if matches!(self, Self::Provider | Self::Schema) { &[] } else { COMMON };
        [self.own(), common].concat()
    }
}

impl Table {
    /// Returns the keys of the table.
    pub(crate) fn keys(self) -> Vec<&'static str> {
        match self {
            Self::Top(attribute) => attribute.keys(),
            Self::Cache(_) => CACHE.to_vec(),
            Self::Background => BACKGROUND.to_vec(),
        }
    }

    /// Returns the one word for keys that mean the same.
    pub(crate) fn canonical(self, key: &str) -> &str {
        if self == Self::Top(Attribute::Resource) && key == "cache" { "cacheable" } else { key }
    }

    /// Returns how the place is written.
    pub(crate) fn shown(self) -> String {
        match self {
            Self::Top(attribute) => format!("`#[{}]`", attribute.word()),
            Self::Cache(attribute) => format!("`{}(..)`", attribute.cache_key()),
            Self::Background => "`background(..)`".to_owned(),
        }
    }

    /// Says what is wrong with a key that the table does not have.
    pub(crate) fn unknown(self, key: &str) -> String {
        let shown = self.shown();
        if key == "cacheable" && matches!(self, Self::Top(Attribute::Tool | Attribute::Prompt)) {
            return format!("`cacheable` is the word for resources; {shown} says `cache`");
        }
        if let Some(place) = self.home(key) {
            return format!("`{key}` is no option of {shown}; it belongs {place}");
        }
        let known = self.keys();
        match nearest(key, &known) {
            Some(near) => format!("unknown option `{key}` for {shown}; did you mean `{near}`?"),
            None if known.len() == 1 => {
                format!("unknown option `{key}` for {shown}; its option is {}", listed(&known, "and"))
            }
            None => format!("unknown option `{key}` for {shown}; its options are {}", listed(&known, "and")),
        }
    }

    /// Finds the place that has the key.
    fn home(self, key: &str) -> Option<String> {
        let attributes = [Attribute::Tool, Attribute::Resource, Attribute::Prompt, Attribute::Provider];
        match self {
            Self::Cache(attribute) | Self::Top(attribute)
                if BACKGROUND.contains(&key) && attribute == Attribute::Tool =>
            {
                Some(format!("in `background(..)`: write `background({key} = ..)`"))
            }
            Self::Top(attribute @ (Attribute::Tool | Attribute::Resource | Attribute::Prompt))
                if CACHE.contains(&key) =>
            {
                Some(format!("in `{0}(..)`: write `{0}({key}..)`", attribute.cache_key()))
            }
            Self::Cache(attribute) if attribute.keys().contains(&key) => {
                Some(format!("beside {}, not in it", self.shown()))
            }
            Self::Background if Attribute::Tool.keys().contains(&key) => {
                Some(format!("beside {}, not in it", self.shown()))
            }
            Self::Top(here) => {
                let homes: Vec<String> = attributes
                    .into_iter()
                    .filter(|other| *other != here && other.keys().contains(&key))
                    .map(|other| format!("#[{}]", other.word()))
                    .collect();
                let homes: Vec<&str> = homes.iter().map(String::as_str).collect();
                (!homes.is_empty()).then(|| format!("on {}", listed(&homes, "and")))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys() {
        let (tool, resource) = (Table::Top(Attribute::Tool), Table::Top(Attribute::Resource));
        for (table, key, message) in [
            (tool, "cach", "unknown option `cach` for `#[tool]`; did you mean `cache`?"),
            (tool, "mime", "`mime` is no option of `#[tool]`; it belongs on `#[resource]`"),
            (
                tool,
                "complete",
                "`complete` is no option of `#[tool]`; it belongs on `#[resource]` and `#[prompt]`",
            ),
            (tool, "cacheable", "`cacheable` is the word for resources; `#[tool]` says `cache`"),
            (tool, "ttl", "`ttl` is no option of `#[tool]`; it belongs in `cache(..)`: write `cache(ttl..)`"),
            (
                tool,
                "retries",
                "`retries` is no option of `#[tool]`; it belongs in `background(..)`: write `background(retries = ..)`",
            ),
            (resource, "read_only", "`read_only` is no option of `#[resource]`; it belongs on `#[tool]`"),
            (
                resource,
                "tags",
                "`tags` is no option of `#[resource]`; it belongs in `cacheable(..)`: write `cacheable(tags..)`",
            ),
            (
                Table::Cache(Attribute::Tool),
                "slow",
                "`slow` is no option of `cache(..)`; it belongs beside `cache(..)`, not in it",
            ),
            (
                Table::Cache(Attribute::Resource),
                "tll",
                "unknown option `tll` for `cacheable(..)`; did you mean `ttl`?",
            ),
            (
                Table::Background,
                "treshold",
                "unknown option `treshold` for `background(..)`; did you mean `threshold`?",
            ),
            (
                Table::Top(Attribute::Provider),
                "zebra",
                "unknown option `zebra` for `#[provider]`; its options are `preload`, `pool` and `crate`",
            ),
            (
                Table::Top(Attribute::Schema),
                "name",
                "`name` is no option of `#[schema]`; it belongs on `#[tool]`, `#[resource]` and `#[prompt]`",
            ),
        ] {
            assert_eq!(table.unknown(key), message);
        }
    }
}
