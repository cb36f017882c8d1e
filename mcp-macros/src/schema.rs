//! `#[schema]`: the derives that arguments and results need, through the runtime's own crates.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Path, Token, Visibility};

use crate::errors::Errors;
use crate::keys::{self, Table};
use crate::options::Options;
use crate::root::{Find, Root};

/// A struct or an enum, its body kept as tokens.
pub(crate) struct Schema {
    root: Root,
    attrs: Vec<Attribute>,
    rest: TokenStream,
}

impl Schema {
    /// Reads the item.
    pub(crate) fn read(
        args: TokenStream,
        item: TokenStream,
        find: Find,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut options = Options::read(args, Table::Top(keys::Attribute::Schema), errors);
        let root = Root::read(options.take("crate"), find, errors);
        let parsed = (|input: ParseStream<'_>| {
            let attrs = input.call(Attribute::parse_outer)?;
            let ahead = input.fork();
            ahead.parse::<Visibility>()?;
            if !ahead.peek(Token![struct]) && !ahead.peek(Token![enum]) {
                let word = ahead.call(Ident::parse_any)?;
                return Err(syn::Error::new(
                    word.span(),
                    format!("`#[schema]` goes on a struct or an enum, not on `{word}`"),
                ));
            }
            Ok((attrs, input.parse()?))
        })
        .parse2(item);
        match parsed {
            Ok((attrs, rest)) => Some(Self { root: root?, attrs, rest }),
            Err(error) => {
                errors.push(error);
                None
            }
        }
    }
}

/// Writes the item with the derives that it lacks.
///
/// They come first: the attributes of a derive are known from its line on.
pub(crate) fn expand(model: &Schema) -> TokenStream {
    let Schema { root, attrs, rest } = model;
    let own = derives(attrs);
    let all = [
        ("Serialize", quote!(#root::__private::serde::Serialize)),
        ("Deserialize", quote!(#root::__private::serde::Deserialize)),
        ("JsonSchema", quote!(#root::__private::schemars::JsonSchema)),
        ("Clone", quote!(::core::clone::Clone)),
        ("Debug", quote!(::core::fmt::Debug)),
    ];
    let added = |name: &str| !own.iter().any(|own| own == name);
    let derives = all.iter().filter(|(name, _)| added(name)).map(|(_, path)| path);
    let derives: Vec<_> = derives.collect();
    let derive = (!derives.is_empty()).then(|| quote!(#[derive(#(#derives),*)]));
    let path = |module: &str, needed: bool| {
        let text = root.text(module);
        let name = Ident::new(module, proc_macro2::Span::call_site());
        (needed && !names_crate(attrs, module)).then(|| quote!(#[#name(crate = #text)]))
    };
    let serde = path("serde", added("Serialize") || added("Deserialize"));
    let schemars = path("schemars", added("JsonSchema"));
    quote!(#derive #serde #schemars #(#attrs)* #rest)
}

/// Lists the derives that the user wrote, by their last segment.
fn derives(attrs: &[Attribute]) -> Vec<String> {
    let lists = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
    let paths = lists.filter_map(|attr| {
        attr.parse_args_with(syn::punctuated::Punctuated::<Path, Token![,]>::parse_terminated).ok()
    });
    paths.flatten().filter_map(|path| path.segments.last().map(|last| last.ident.to_string())).collect()
}

/// Returns whether the user wrote `#[serde(crate = "..")]` himself.
fn names_crate(attrs: &[Attribute], module: &str) -> bool {
    attrs.iter().filter(|attr| attr.path().is_ident(module)).any(|attr| {
        let mut found = false;
        // Malformed attributes are serde's to report.
        let _ = attr.parse_nested_meta(|meta| {
            found |= meta.path.is_ident("crate");
            if meta.input.peek(Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            }
            Ok(())
        });
        found
    })
}
