//! What stands beside the errors: the function, so that one mistake is one error.

use proc_macro2::TokenStream;
use quote::quote;

use crate::item::Item;

/// Writes the function without the attributes that would tell the same mistake again, and the errors.
pub(crate) fn function(mut item: Item, errors: &syn::Error) -> TokenStream {
    item.attrs.retain(|attr| {
        let last = attr.path().segments.last().map(|segment| segment.ident.to_string());
        !matches!(last.as_deref(), Some("tool" | "resource" | "prompt" | "provider"))
    });
    let errors = errors.to_compile_error();
    quote!(#item #errors)
}
