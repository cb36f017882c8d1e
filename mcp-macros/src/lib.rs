//! The attributes of `mcp-core` and `mcp-server`, which document them where they re-export them.
//!
//! Options are read (`options`, `keys`), the item is parsed (`item`, `signature`), both are checked
//! into a model (`model`, `provider`, `schema`), and the model is written out (`expand`).

mod entry;
mod errors;
mod keys;
mod options;

mod duration;
mod template;
mod uri;

mod item;
mod signature;
mod types;

mod address;
mod cache;
mod doc;
mod lists;
mod model;
mod root;

mod definition;
mod expand;
mod fallback;
mod provider;
mod schema;

#[cfg(test)]
mod random;
#[cfg(test)]
mod snapshots;

use proc_macro2::TokenStream;

use crate::errors::collect;
use crate::item::Item;
use crate::keys::Attribute;
use crate::root::Find;

#[proc_macro_attribute]
#[allow(missing_docs, reason = "documented where it is re-exported")]
pub fn tool(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    component(Attribute::Tool, args.into(), item.into(), root::from_manifest).into()
}

#[proc_macro_attribute]
#[allow(missing_docs, reason = "documented where it is re-exported")]
pub fn resource(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    component(Attribute::Resource, args.into(), item.into(), root::from_manifest).into()
}

#[proc_macro_attribute]
#[allow(missing_docs, reason = "documented where it is re-exported")]
pub fn prompt(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    component(Attribute::Prompt, args.into(), item.into(), root::from_manifest).into()
}

#[proc_macro_attribute]
#[allow(missing_docs, reason = "documented where it is re-exported")]
pub fn provider(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    shared(args.into(), item.into(), root::from_manifest).into()
}

#[proc_macro_attribute]
#[allow(missing_docs, reason = "documented where it is re-exported")]
pub fn schema(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derives(args.into(), &item.into(), root::from_manifest).into()
}

fn component(attribute: Attribute, args: TokenStream, tokens: TokenStream, find: Find) -> TokenStream {
    let item = match Item::read(tokens.clone(), attribute) {
        Ok(item) => item,
        Err(error) => return with_error(tokens, &error),
    };
    match collect(|errors| model::Component::read(attribute, args, &item, find, errors)) {
        Ok(model) => expand::component(&item, &model),
        Err(errors) => fallback::function(item, &errors),
    }
}

fn shared(args: TokenStream, tokens: TokenStream, find: Find) -> TokenStream {
    let item = match Item::read(tokens.clone(), Attribute::Provider) {
        Ok(item) => item,
        Err(error) => return with_error(tokens, &error),
    };
    match collect(|errors| provider::Provider::read(args, &item, find, errors)) {
        Ok(model) => provider::expand(&item, &model),
        Err(errors) => fallback::function(item, &errors),
    }
}

fn derives(args: TokenStream, item: &TokenStream, find: Find) -> TokenStream {
    let read = |args| collect(|errors| schema::Schema::read(args, item.clone(), find, errors));
    match read(args) {
        Ok(model) => schema::expand(&model),
        // The derives are still added: without them the fields' attributes would be unknown.
        Err(errors) => {
            with_error(read(TokenStream::new()).map_or(item.clone(), |model| schema::expand(&model)), &errors)
        }
    }
}

/// Writes an item as it was, and an error beside it.
fn with_error(mut item: TokenStream, error: &syn::Error) -> TokenStream {
    item.extend(error.to_compile_error());
    item
}
