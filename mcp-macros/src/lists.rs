//! `invalidates(..)` and `complete(..)`: lists of things outside the function.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, LitStr, Path, Token};

use crate::errors::{Errors, did_you_mean};
use crate::keys::Attribute;
use crate::model::{Address, Target};
use crate::options::Options;
use crate::signature::{Function, meant};
use crate::template::{Filled, Use};

/// `tag("..")` and its like, before the words are known.
struct Call {
    word: Ident,
    arguments: TokenStream,
}

impl Parse for Call {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word = input.call(Ident::parse_any)?;
        let content;
        syn::parenthesized!(content in input);
        Ok(Self { word, arguments: content.parse()? })
    }
}

/// Reads `invalidates(tag(".."), resource(".."), tool(path), prompt(path))`.
pub(crate) fn invalidates(
    options: &mut Options,
    read_only: Option<bool>,
    function: &Function,
    errors: &mut Errors,
) -> Vec<Target> {
    const EXAMPLE: &str = "tag(\"users\"), resource(\"user://{id}\"), tool(search)";
    let Some(entry) = options.take("invalidates") else { return Vec::new() };
    if read_only == Some(true) {
        errors.add(entry.span(), "a tool that makes results invalid is not `read_only`: leave one out");
    }
    let mut targets = Vec::new();
    for Call { word, arguments } in entry.items::<Call>(EXAMPLE, errors) {
        let name = word.to_string();
        let filled = |errors: &mut Errors| match syn::parse2::<LitStr>(arguments.clone()) {
            Ok(literal) => {
                Filled::read(&literal, if name == "tag" { Use::Tag } else { Use::Uri }, function, errors)
            }
            Err(_) => {
                let example = if name == "tag" { "user:{id}" } else { "user://{id}" };
                errors.add(word.span(), format!("`{name}` takes a text: write `{name}(\"{example}\")`"));
                None
            }
        };
        let component = |errors: &mut Errors| match syn::parse2::<Path>(arguments.clone()) {
            Ok(path) => Some(path),
            Err(_) => {
                errors.add(word.span(), format!("`{name}` takes the function: write `{name}(path)`"));
                None
            }
        };
        targets.extend(match &*name {
            "tag" => filled(errors).map(Target::Tag),
            "resource" => filled(errors).map(Target::Resource),
            "tool" => component(errors).map(|path| Target::Component(Attribute::Tool, path)),
            "prompt" => component(errors).map(|path| Target::Component(Attribute::Prompt, path)),
            other => {
                let hint = did_you_mean(other, &["tag", "resource", "tool", "prompt"]);
                let hint = if hint.is_empty() {
                    "; write `tag`, `resource`, `tool` or `prompt`".to_owned()
                } else {
                    hint
                };
                errors.add(word.span(), format!("`{other}` cannot be made invalid{hint}"));
                None
            }
        });
    }
    targets
}

/// `parameter = path`.
struct Pair {
    parameter: Ident,
    function: Expr,
}

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let parameter = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        Ok(Self { parameter, function: input.parse()? })
    }
}

/// Reads `complete(parameter = path)`.
pub(crate) fn complete(
    options: &mut Options,
    address: Option<&Address>,
    function: &Function,
    errors: &mut Errors,
) -> Vec<(String, Expr)> {
    let pairs =
        options.take("complete").map(|entry| entry.items::<Pair>("name = path", errors)).unwrap_or_default();
    let in_uri = address.map(|address| crate::uri::variables(&address.uri.value()).unwrap_or_default());
    let mut complete: Vec<(String, Expr)> = Vec::new();
    for Pair { parameter, function: path } in pairs {
        let name = parameter.unraw().to_string();
        let found = match (function.whole(), &in_uri) {
            (None, _) => function
                .arguments()
                .find(|argument| argument.is_called(&name))
                .map(|argument| argument.name.clone()),
            (Some(_), Some(variables)) => {
                variables.iter().find(|variable| variable.name == name).map(|variable| variable.name.clone())
            }
            (Some(_), None) => Some(name.clone()),
        };
        match found {
            Some(name) if complete.iter().any(|(other, _)| *other == name) => {
                errors.add(parameter.span(), format!("`{name}` is completed twice: keep one"));
            }
            Some(name) => complete.push((name, path)),
            None => {
                let hint = meant(&name, function);
                errors
                    .add(parameter.span(), format!("`complete` names `{name}`, which is no parameter{hint}"));
            }
        }
    }
    complete
}
