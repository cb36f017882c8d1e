//! The annotated item: attributes, visibility and signature parsed, the body kept as tokens.
//!
//! A body that does not parse yet, as in an editor, does not lose the item.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, FnArg, Ident, Signature, Token, Visibility};

use crate::keys;

/// A function under an attribute.
pub(crate) struct Item {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    body: TokenStream,
}

impl Item {
    /// Parses the item of an attribute.
    ///
    /// # Errors
    ///
    /// Fails where it is no function, or one without a body.
    pub(crate) fn read(tokens: TokenStream, attribute: keys::Attribute) -> syn::Result<Self> {
        let word = attribute.word();
        let parse = |input: ParseStream<'_>| {
            if let Some(other) = other_item(input)? {
                let message = format!("`#[{word}]` goes on a function, not on `{other}`");
                return Err(syn::Error::new(other.span(), message));
            }
            input.parse::<Self>()
        };
        let item = syn::parse::Parser::parse2(parse, tokens)?;
        if item.body.to_string() == ";" {
            let message = format!("`#[{word}]` goes on a function with a body: write it on a free function");
            return Err(syn::Error::new_spanned(&item.sig.ident, message));
        }
        Ok(item)
    }

    /// Returns the `#[cfg(..)]` attributes, which everything generated repeats.
    pub(crate) fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
    }
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
            body: input.parse()?,
        })
    }
}

/// The function as it was written, without the parameters' attributes that rustc refuses.
impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, sig, body } = self;
        let mut sig = sig.clone();
        for input in &mut sig.inputs {
            if let FnArg::Typed(input) = input {
                input.attrs.retain(|attr| !is_for_field(attr));
            }
        }
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}

/// Returns whether a parameter's attribute moves to the field that is made of the parameter.
pub(crate) fn is_for_field(attr: &Attribute) -> bool {
    ["doc", "serde", "schemars"].iter().any(|path| attr.path().is_ident(path))
}

/// Looks ahead for the keyword of an item that is no function.
fn other_item(input: ParseStream<'_>) -> syn::Result<Option<Ident>> {
    let ahead = input.fork();
    ahead.call(Attribute::parse_outer)?;
    ahead.parse::<Visibility>()?;
    let is_const_item = ahead.peek(Token![const])
        && !ahead.peek2(Token![fn])
        && !ahead.peek2(Token![async])
        && !ahead.peek2(Token![unsafe]);
    let named = ["struct", "enum", "union", "impl", "trait", "mod", "type", "static", "use", "macro_rules"];
    let word = ahead.call(Ident::parse_any).ok();
    Ok(word.filter(|word| is_const_item || named.iter().any(|name| word == name)))
}
