//! What is called: what was named, or all that can be called without arguments and changes nothing.

use std::fmt;

use mcp_core::component::{Argument, Def, Kind as DefKind, known_arguments};
use mcp_core::uri::Template;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::settings::distance;
use crate::text_report::is_named;

/// A kind of component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Tool,
    Resource,
    Prompt,
}

/// A component that there is.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) kind: Kind,
    /// The name, or the URI of a resource, variables included.
    pub(super) name: String,
    /// Whether a call changes nothing.
    pub(super) read_only: bool,
    /// The arguments that a call must have, each with its type.
    pub(super) required: Vec<(String, String)>,
    /// Why no call can be made without more being known.
    pub(super) hindered: Option<&'static str>,
}

/// A component that is called, with its arguments in turn.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// One at least, be it without anything.
    pub(super) arguments: Vec<Map<String, Value>>,
    pub(super) read_only: bool,
}

/// A component that is not called, and what to type for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Skipped {
    pub(super) component: String,
    pub(super) why: String,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Prompt => "prompt",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.name)
    }
}

impl Target {
    /// Returns what tells the arguments apart from others, without showing them (FNV-1a).
    pub(super) fn arguments_id(&self) -> String {
        arguments_id(&self.arguments)
    }
}

fn arguments_id(arguments: &[Map<String, Value>]) -> String {
    let text = serde_json::to_string(arguments).unwrap_or_default();
    let id = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |id, byte| (id ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{id:016x}")
}

/// Returns whether a component of an earlier run is among all that are called where none is named.
pub(super) fn is_of_all(title: &str, id: &str, skipped: &[Skipped]) -> bool {
    let is_it = |skipped: &Skipped| {
        let pair = skipped.component.strip_prefix("resource ").zip(title.strip_prefix("resource "));
        let is_filled = pair.is_some_and(|(template, uri)| {
            Template::parse(template).is_ok_and(|template| template.matches(uri).is_some())
        });
        skipped.component == title || is_filled
    };
    id == arguments_id(&[Map::new()]) && !skipped.iter().any(is_it)
}

impl Known {
    /// Reads a definition.
    pub(super) fn of(def: &Def) -> Self {
        let required = known_arguments(def).into_iter().filter(|argument| argument.required);
        let required = required.map(|Argument { name, type_name, .. }| (name, type_name)).collect();
        let (kind, name, read_only) = match def.kind {
            DefKind::Tool(part) => (Kind::Tool, def.name, part.read_only == Some(true)),
            DefKind::Resource(part) => (Kind::Resource, part.uri, true),
            _ => (Kind::Prompt, def.name, true),
        };
        let hindered = (!def.scopes.is_empty())
            .then_some("it wants scopes, which nobody has in process: write `--http URL --token TOKEN`");
        Self { kind, name: name.to_owned(), read_only, required, hindered }
    }

    /// Returns why it is not called unless it is named, and what to type.
    fn skipped(&self) -> Option<String> {
        if let Some(why) = self.hindered {
            return Some(why.to_owned());
        }
        if !self.read_only {
            return Some(format!("it is not `read_only`, and would really run: `{}`", self.typed()));
        }
        (!self.required.is_empty()).then(|| format!("it takes arguments: `{}`", self.typed()))
    }

    /// Returns what to type to have it called.
    fn typed(&self) -> String {
        if self.kind == Kind::Resource {
            let filled = self
                .required
                .iter()
                .fold(self.name.clone(), |uri, (name, _)| uri.replace(&format!("{{{name}}}"), "1"));
            return format!("bench {filled}");
        }
        if self.required.is_empty() {
            return format!("bench {}", self.name);
        }
        let value = |type_name: &str| match type_name {
            "integer" => "1",
            "number" => "1.5",
            "boolean" => "true",
            "array" => "[]",
            "string" => "\"a\"",
            _ => "{}",
        };
        let is_text = self.kind == Kind::Prompt;
        let pairs = self.required.iter().map(|(name, type_name)| {
            format!("\"{name}\": {}", if is_text { "\"a\"" } else { value(type_name) })
        });
        format!("bench {} --arguments '{{{}}}'", self.name, pairs.collect::<Vec<_>>().join(", "))
    }
}

/// Decides what is called, and says what is not.
///
/// `has_uri` says whether a resource may be there under a URI that the list does not have.
pub(super) fn chosen(
    known: &[Known],
    names: &[String],
    arguments: Option<&[Map<String, Value>]>,
    has_uri: impl Fn(&str) -> bool,
) -> Result<(Vec<Target>, Vec<Skipped>), String> {
    if names.is_empty() {
        if arguments.is_some() {
            return Err(
                "arguments go with one component: name it, as in `bench add --arguments ..`".to_owned()
            );
        }
        let called = known.iter().filter(|known| known.skipped().is_none());
        let called: Vec<_> = called.map(|known| target(known, None)).collect();
        let skipped = known.iter().filter_map(|known| {
            let component = format!("{} {}", known.kind.word(), known.name);
            Some(Skipped { component, why: known.skipped()? })
        });
        let skipped: Vec<_> = skipped.collect();
        if called.is_empty() {
            let hint =
                skipped.first().map_or_else(String::new, |one| format!(": {}, {}", one.component, one.why));
            return Err(format!(
                "there is nothing that can be called without arguments and changes nothing{hint}"
            ));
        }
        return Ok((called, skipped));
    }
    if arguments.is_some() && names.len() > 1 {
        return Err(format!("arguments go with one component, and {} are named", names.len()));
    }
    let mut called: Vec<Target> = Vec::new();
    for name in names {
        let one = named(known, name, arguments, &has_uri)?;
        if !called.iter().any(|other| other.kind == one.kind && other.name == one.name) {
            called.push(one);
        }
    }
    Ok((called, Vec::new()))
}

fn named(
    known: &[Known],
    name: &str,
    arguments: Option<&[Map<String, Value>]>,
    has_uri: impl Fn(&str) -> bool,
) -> Result<Target, String> {
    let Some(found) = known.iter().find(|known| is_named(known.kind.word(), &known.name, name)) else {
        if !has_uri(name) {
            return Err(unknown(known, name));
        }
        let (kind, name) = (Kind::Resource, name.to_owned());
        let uri = Known { kind, name, read_only: true, required: Vec::new(), hindered: None };
        return named(std::slice::from_ref(&uri), &uri.name, arguments, has_uri);
    };
    if found.kind == Kind::Resource && arguments.is_some() {
        return Err(format!(
            "`{name}` is a resource, whose arguments are in its URI: leave `--arguments` out"
        ));
    }
    if found.kind == Kind::Resource && !found.required.is_empty() {
        return Err(format!("`{name}` has variables: write a URI, as in `{}`", found.typed()));
    }
    if arguments.is_none() && !found.required.is_empty() {
        return Err(format!("`{name}` takes arguments: write `{}`", found.typed()));
    }
    Ok(target(found, arguments))
}

fn target(known: &Known, arguments: Option<&[Map<String, Value>]>) -> Target {
    Target {
        kind: known.kind,
        name: known.name.clone(),
        arguments: arguments.map_or_else(|| vec![Map::new()], <[_]>::to_vec),
        read_only: known.read_only,
    }
}

fn unknown(known: &[Known], name: &str) -> String {
    let near = known.iter().map(|known| (distance(&known.name, name), &known.name)).min();
    match near.filter(|(distance, _)| *distance <= 2.max(name.len() / 3)) {
        Some((_, near)) => format!("no component is named `{name}`: did you mean `{near}`?"),
        None => format!("no component is named `{name}`: `list` shows what there is"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Known> {
        let one = |kind, name: &str, read_only, required: &[(&str, &str)]| Known {
            kind,
            name: name.to_owned(),
            read_only,
            required: required.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect(),
            hindered: None,
        };
        vec![
            one(Kind::Tool, "products", true, &[]),
            one(Kind::Tool, "add", true, &[("a", "integer"), ("b", "string")]),
            one(Kind::Tool, "wipe", false, &[]),
            one(Kind::Resource, "test://terms", true, &[]),
            one(Kind::Resource, "product://{id}", true, &[("id", "in the URI")]),
            one(Kind::Prompt, "review", true, &[("code", "string")]),
            one(Kind::Prompt, "products", true, &[]),
        ]
    }

    fn names(names: &[&str], arguments: Option<&str>) -> Result<Vec<String>, String> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let arguments: Option<Vec<Map<String, Value>>> =
            arguments.map(|text| serde_json::from_str(text).unwrap());
        let has_uri = |uri: &str| uri.starts_with("product://");
        let (targets, _) = chosen(&known(), &names, arguments.as_deref(), has_uri)?;
        Ok(targets.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn without_a_name_all_that_is_safe_and_the_rest_with_what_to_type() {
        let (called, skipped) = chosen(&known(), &[], None, |_| false).unwrap();
        let called: Vec<_> = called.iter().map(ToString::to_string).collect();
        assert_eq!(called, ["tool products", "resource test://terms", "prompt products"]);
        let skipped: Vec<_> = skipped.iter().map(|one| format!("{}, {}", one.component, one.why)).collect();
        assert_eq!(
            skipped,
            [
                r#"tool add, it takes arguments: `bench add --arguments '{"a": 1, "b": "a"}'`"#,
                "tool wipe, it is not `read_only`, and would really run: `bench wipe`",
                "resource product://{id}, it takes arguments: `bench product://1`",
                r#"prompt review, it takes arguments: `bench review --arguments '{"code": "a"}'`"#,
            ]
        );
        let none = chosen(&known()[1..3], &[], None, |_| false).unwrap_err();
        assert!(none.contains("nothing that can be called") && none.contains("bench add"), "{none}");
    }

    #[test]
    fn what_is_named_is_called_and_mistakes_say_what_to_write() {
        assert_eq!(
            names(&["wipe", "wipe", "product://7"], None).unwrap(),
            ["tool wipe", "resource product://7"]
        );
        assert_eq!(names(&["prompt products"], None).unwrap(), ["prompt products"]);
        assert_eq!(names(&["add"], Some(r#"[{"a":1},{"a":2}]"#)).unwrap(), ["tool add"]);
        for (given, arguments, expected) in [
            (&["ad"][..], None, "no component is named `ad`: did you mean `add`?"),
            (&["anything"], None, "no component is named `anything`: `list` shows what there is"),
            (&["add"], None, "`add` takes arguments: write `bench add --arguments"),
            (&["product://{id}"], None, "has variables: write a URI, as in `bench product://1`"),
            (&["product://7"], Some("[{}]"), "whose arguments are in its URI"),
            (&["add", "wipe"], Some("[{}]"), "arguments go with one component, and 2 are named"),
            (&[], Some("[{}]"), "arguments go with one component: name it"),
        ] {
            let error = names(given, arguments).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn arguments_are_told_apart_without_being_shown() {
        let id = |text: &str| {
            let arguments = serde_json::from_str(text).unwrap();
            Target { kind: Kind::Tool, name: "add".into(), arguments, read_only: true }.arguments_id()
        };
        assert_eq!(id(r#"[{"a":"secret"}]"#), id(r#"[{"a":"secret"}]"#));
        assert_ne!(id(r#"[{"a":"secret"}]"#), id(r#"[{"a":"secreu"}]"#));
        assert_eq!(id("[{}]").len(), 16);
    }
}
