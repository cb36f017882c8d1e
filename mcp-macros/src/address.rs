//! The URI of a resource, matched with the function's arguments.

use proc_macro2::Span;
use syn::LitStr;

use crate::errors::{Errors, inside};
use crate::model::Address;
use crate::options::Options;
use crate::signature::{Argument, Function, Role};
use crate::template;
use crate::uri::{self, Variable};

/// Reads `uri`, `mime` and `list`.
pub(crate) fn read(
    options: &mut Options,
    name: &str,
    function: &Function,
    errors: &mut Errors,
) -> Option<Address> {
    let mime = options.take("mime").and_then(|entry| entry.text("application/json", errors));
    if let Some(mime) = mime.as_ref().filter(|mime| !mime.value().contains('/')) {
        errors.add(
            mime.span(),
            format!("`{}` is no media type: write one such as `\"text/plain\"`", mime.value()),
        );
    }
    let list = options.take("list");
    let uri = match options.take("uri") {
        Some(entry) => entry.text("product://{id}", errors)?,
        None => default(name, function, errors)?,
    };
    let variables = match uri::variables(&uri.value()) {
        Ok(variables) => variables,
        Err((range, message)) => {
            errors.add(inside(&uri, range), message);
            return None;
        }
    };
    if function.whole().is_none() {
        let unknown =
            |variable: &&Variable| function.arguments().all(|argument| argument.name != variable.name);
        let absent = |argument: &&Argument| variables.iter().all(|variable| variable.name != argument.name);
        for variable in variables.iter().filter(unknown) {
            errors.add(inside(&uri, variable.range.clone()), template::unknown(&variable.name, function));
        }
        // A misspelt variable is one mistake, not two.
        if !variables.iter().any(|variable| unknown(&variable)) {
            for argument in function.arguments().filter(absent) {
                errors.add(
                    argument.ident.span(),
                    format!("`{0}` is nowhere in the URI: write `{{{0}}}` in it", argument.name),
                );
            }
        }
    }
    if let Some(list) = list.as_ref().filter(|_| variables.is_empty()) {
        errors.add(
            list.span(),
            "`list` enumerates what a URI with variables stands for, and this one has none: leave it out",
        );
    }
    let list = list.and_then(|list| list.expression(errors));
    Some(Address { uri, mime, list })
}

/// Makes the URI of a resource that names none: `resource://<name>` and one `/{parameter}` each.
fn default(name: &str, function: &Function, errors: &mut Errors) -> Option<LitStr> {
    if let Some(parameter) = function.find(|role| matches!(role, Role::Whole(_))) {
        errors.add(
            parameter.span,
            "the fields of `Args<T>` are not known here: write `uri = \"..\"` with a `{variable}` each",
        );
        return None;
    }
    if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._~".contains(letter)) {
        errors.add(function.ident.span(), format!("`{name}` cannot stand in a URI: write `uri = \"..\"`"));
        return None;
    }
    let variables: String = function.arguments().map(|argument| format!("/{{{}}}", argument.name)).collect();
    Some(LitStr::new(&format!("resource://{name}{variables}"), Span::call_site()))
}
