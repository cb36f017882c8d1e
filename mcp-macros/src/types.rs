//! Types as they are written: their last segment, their first argument, what they cannot contain.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{GenericArgument, Ident, PathArguments, Type};

use crate::errors::Errors;

/// Looks through the invisible parentheses around a type that a `macro_rules!` macro passed on.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        ty => ty,
    }
}

/// Returns the last segment of a type's path.
pub(crate) fn last_segment(ty: &Type) -> Option<&Ident> {
    match ungrouped(ty) {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

/// Returns the first type argument of a path: the `T` of `Dep<T>`.
pub(crate) fn first_argument(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ungrouped(ty) else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Returns the `T` of `Dep<T>`; a missing one is told.
pub(crate) fn inner_type(ty: &Type, name: &str, errors: &mut Errors) -> Option<Type> {
    let inner = first_argument(ty);
    if inner.is_none() {
        errors.add(ty, format!("`{name}` needs a type: write `{name}<T>`"));
    }
    inner.cloned()
}

/// Writes a type without the spaces between its tokens.
pub(crate) fn shown(ty: &impl ToTokens) -> String {
    let text = ty.to_token_stream().to_string();
    text.replace(" :: ", "::")
        .replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
        .replace("& ", "&")
}

/// Says what to write for a reference.
pub(crate) fn owned(ty: &syn::TypeReference) -> String {
    match ungrouped(&ty.elem) {
        Type::Path(path) if path.path.is_ident("str") => "`String`".to_owned(),
        Type::Slice(slice) => format!("`Vec<{}>`", shown(&slice.elem)),
        elem => format!("`{}`", shown(elem)),
    }
}

/// What an argument's or a result's type cannot contain.
#[derive(Default)]
pub(crate) struct Find {
    pub(crate) impl_trait: Option<TokenStream>,
    /// Where a reference is, and what to write in its place.
    pub(crate) reference: Option<(TokenStream, String)>,
}

impl Find {
    /// Looks through a type.
    pub(crate) fn in_type(ty: &Type) -> Self {
        let mut find = Self::default();
        find.visit_type(ty);
        find
    }
}

impl<'ast> Visit<'ast> for Find {
    fn visit_type_impl_trait(&mut self, ty: &'ast syn::TypeImplTrait) {
        self.impl_trait.get_or_insert_with(|| ty.to_token_stream());
    }

    fn visit_type_reference(&mut self, ty: &'ast syn::TypeReference) {
        self.reference.get_or_insert_with(|| (ty.to_token_stream(), owned(ty)));
        visit::visit_type_reference(self, ty);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
        if lifetime.ident != "static" {
            self.reference
                .get_or_insert_with(|| (lifetime.to_token_stream(), "a type without lifetimes".to_owned()));
        }
    }

    // Functions have references of their own.
    fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}
}
