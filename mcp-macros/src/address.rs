//! The URI of a resource, matched with the function's arguments.

use proc_macro2::Span;
use syn::LitStr;

use crate::errors::{Errors, inside};
use crate::model::Address;
use crate::options::Options;
use crate::signature::{Function, Role};
use crate::{template, uri};

/// Reads `uri`, `mime` and `list`.
pub(crate) fn read(options: &mut Options, name: &str, function: &Function, errors: &mut Errors) -> Option<Address> {
    let mime = options.take("mime").and_then(|entry| entry.text("application/json", errors));
    if let Some(mime) = mime.as_ref().filter(|mime| !mime.value().contains('/')) {
        errors.add(mime.span(), format!("`{}` is no media type: write one such as `\"text/plain\"`", mime.value()));
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
        for variable in &variables {
            if function.arguments().all(|argument| argument.name != variable.name) {
                errors.add(inside(&uri, variable.range.clone()), template::unknown(&variable.name, function));
            }
        }
        for argument in function.arguments() {
            if variables.iter().all(|variable| variable.name != argument.name) {
                errors.add(argument.ident.span(), format!("`{0}` is nowhere in the URI: write `{{{0}}}` in it", argument.name));
            }
        }
    }
    if let Some(list) = list.as_ref().filter(|_| variables.is_empty()) {
        errors.add(list.span(), "`list` enumerates what a URI with variables stands for, and this one has none: leave it out");
    }
    let list = list.and_then(|list| list.expression(errors));
    Some(Address { uri, mime, list })
}

/// Makes the URI of a resource that names none: `resource://<name>` and one `/{parameter}` each.
fn default(name: &str, function: &Function, errors: &mut Errors) -> Option<LitStr> {
    if let Some(parameter) = function.find(|role| matches!(role, Role::Whole(_))) {
        errors.add(parameter.span, "the fields of `Args<T>` are not known here: write `uri = \"..\"` with a `{variable}` each");
        return None;
    }
    if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._~".contains(letter)) {
        errors.add(function.ident.span(), format!("`{name}` cannot stand in a URI: write `uri = \"..\"`"));
        return None;
    }
    let variables: String = function.arguments().map(|argument| format!("/{{{}}}", argument.name)).collect();
    Some(LitStr::new(&format!("resource://{name}{variables}"), Span::call_site()))
}
