//! The definition of a component: a constructor, and a setter for each thing that is declared.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::cache::{Cache, RefreshAhead};
use crate::expand::{at, words};
use crate::model::{Background, Component, Icons};
use crate::signature::{Parameter, Role};

/// Writes the definition.
pub(crate) fn definition(model: &Component) -> TokenStream {
    let Component { root, function, name, description, .. } = model;
    let (def_type, _) = words(model.attribute);
    let address = model.address.as_ref().map(|address| {
        let uri = &address.uri;
        let mime = match &address.mime {
            Some(mime) => quote!(::core::option::Option::Some(#mime)),
            None => quote!(::core::option::Option::None),
        };
        quote!(#uri, #mime,)
    });
    let new = quote_spanned!(at(function.output.span())=> #root::__private::#def_type::new::<__Component>);
    let setters = [about(model), of_kind(model), limits(model), parts(&function.parameters, model)];
    quote!(#new(#name, #description, #address #root::__private::place!()) #(#setters)*)
}

fn about(model: &Component) -> TokenStream {
    let root = &model.root;
    let title = model.title.as_ref().map(|title| quote!(.title(#title)));
    let icons = model.icons.as_ref().map(|icons| match icons {
        Icons::Each(icons) => {
            quote!(.icons(|| ::std::vec::Vec::from([#(<#root::__private::Icon as ::core::convert::From<_>>::from(#icons)),*])))
        }
        Icons::All(icons) => quote!(.icons(|| ::core::iter::Iterator::collect(::core::iter::Iterator::map(
            ::core::iter::IntoIterator::into_iter(#icons),
            ::core::convert::Into::into,
        )))),
    });
    let meta = model.meta.as_ref().map(|meta| quote!(.meta(|| #meta)));
    let hidden = model.hidden.then(|| quote!(.hidden()));
    quote!(#title #icons #meta #hidden)
}

fn of_kind(model: &Component) -> TokenStream {
    let root = &model.root;
    let hints = [
        ("read_only", model.hints.read_only),
        ("destructive", model.hints.destructive),
        ("idempotent", model.hints.idempotent),
        ("open_world", model.hints.open_world),
    ];
    let hints = hints.into_iter().filter_map(|(name, value)| {
        let name = Ident::new(name, Span::call_site());
        value.map(|value| quote!(.#name(#value)))
    });
    let background = model.background.as_ref().map(|background| self::background(model, background));
    let list = model.address.as_ref().and_then(|address| address.list.as_ref());
    let list = list.map(|list| quote!(.list(|__cx| #root::__private::listing(__cx, #list))));
    let complete = (!model.complete.is_empty()).then(|| {
        let pairs = model.complete.iter().map(|(name, path)| {
            quote!((#name, |__request, __cx| #root::__private::completing(__request, __cx, #path)))
        });
        quote!(.complete(&[#(#pairs),*]))
    });
    quote!(#(#hints)* #background #list #complete)
}

fn background(model: &Component, background: &Background) -> TokenStream {
    let root = &model.root;
    let threshold = background.threshold.map(|ms| setter("threshold_ms", ms));
    let input = background.input.map(|bytes| setter("input_bytes", bytes));
    let priority = background.priority.map(|priority| quote!(.priority(#priority)));
    let retries = background.retries.map(|retries| setter("retries", retries.into()));
    quote!(.background(#root::__private::Background::new() #threshold #input #priority #retries))
}

fn limits(model: &Component) -> TokenStream {
    let cache = model.cache.as_ref().map(|cache| {
        let policy = policy(model, cache);
        quote!(.cache(#policy))
    });
    let slow = model.slow.map(|ms| setter("slow_ms", ms));
    let timeout = model.timeout.map(|ms| setter("timeout_ms", ms));
    let concurrency = model.concurrency.map(|calls| setter("concurrency", calls.into()));
    let blocking = model.blocking.then(|| quote!(.blocking()));
    let unprofiled = (!model.profile).then(|| quote!(.unprofiled()));
    let scopes = &model.scopes;
    let scopes = (!scopes.is_empty()).then(|| quote!(.scopes(&[#(#scopes),*])));
    quote!(#cache #slow #timeout #concurrency #blocking #unprofiled #scopes)
}

fn policy(model: &Component, cache: &Cache) -> TokenStream {
    let root = &model.root;
    let durations = [
        ("ttl_ms", cache.ttl),
        ("stale_ms", cache.stale),
        ("stale_if_error_ms", cache.stale_if_error),
        ("negative_ms", cache.negative),
        ("max_bytes", cache.max_bytes),
        ("version", cache.version.map(u64::from)),
    ];
    let numbers = durations.into_iter().filter_map(|(name, value)| value.map(|value| setter(name, value)));
    let scope = cache.scope.as_ref().map(|scope| quote!(.scope(#root::__private::Scope::#scope)));
    let levels = cache.levels.as_ref().map(|levels| quote!(.levels(#root::__private::Levels::#levels)));
    let refresh = cache.refresh_ahead.as_ref().map(|refresh| match refresh {
        RefreshAhead::At(share) => quote!(.refresh_ahead(#root::__private::RefreshAhead::At(#share))),
        RefreshAhead::Auto => quote!(.refresh_ahead(#root::__private::RefreshAhead::Auto)),
    });
    quote!(#root::__private::CachePolicy::new() #(#numbers)* #scope #levels #refresh)
}

/// What the function is given beside its arguments.
fn parts(parameters: &[Parameter], model: &Component) -> TokenStream {
    let has = |role: fn(&Role) -> bool| parameters.iter().any(|parameter| role(&parameter.role));
    let ctx = has(|role| matches!(role, Role::Ctx)).then(|| quote!(.uses_ctx()));
    let identity = has(|role| matches!(role, Role::Identity)).then(|| quote!(.uses_identity()));
    let needs = needs(parameters, &model.root);
    quote!(#ctx #identity #needs)
}

/// The shared values that a function takes.
pub(crate) fn needs(parameters: &[Parameter], root: &impl ToTokens) -> Option<TokenStream> {
    let needs: Vec<TokenStream> = parameters
        .iter()
        .filter_map(|parameter| match &parameter.role {
            Role::Dep(ty) => Some(quote!(#root::__private::Need::dep::<#ty>())),
            Role::Pooled(ty) => Some(quote!(#root::__private::Need::pooled::<#ty>())),
            _ => None,
        })
        .collect();
    (!needs.is_empty()).then(|| quote!(.needs(&[#(#needs),*])))
}

/// A setter with a number, written as a person would: `.ttl_ms(300_000)`.
fn setter(name: &str, value: u64) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    let digits = value.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    let number = grouped.parse::<Literal>().unwrap_or_else(|_| Literal::u64_unsuffixed(value));
    quote!(.#name(#number))
}
