//! A component as Rust: data, and one call into the runtime.
//!
//! Paths start at the root or at `::core`, generated names with `__`: nothing that the user has in
//! scope is captured. The trait is implemented for a type inside the constant, as one that is as
//! visible as the function could not have arguments or results that are less so (E0446).

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, Type};

use crate::cache::{Cache, Key};
use crate::definition::definition;
use crate::item::Item;
use crate::keys::Attribute;
use crate::model::{Component, Target};
use crate::signature::{Function, Role};
use crate::template::{Filled, Member};

/// Writes the function as it was, and what makes a component of it.
pub(crate) fn component(item: &Item, model: &Component) -> TokenStream {
    let root = &model.root;
    let (def_type, kind) = words(model.attribute);
    let (arguments, output) = (arguments(model), &model.function.output);
    let (call, facts, definition) = (call(model), facts(model), definition(model));
    let constant = quote! {
        #arguments

        struct __Component;

        impl #root::__private::Component for __Component {
            type Arguments = __Arguments;
            type Output = #output;
            #call
            #facts
        }

        static __DEF: #root::__private::#def_type = #definition;

        #root::__private::register!(#kind: &__DEF);
    };
    beside(item, model.attribute, &quote!(#root::__private::#def_type), &cached(item, model), &constant)
}

/// Writes the function, the type of its name with `def()` and `methods`, and the constant with the rest.
pub(crate) fn beside(
    item: &Item,
    attribute: Attribute,
    def_type: &TokenStream,
    methods: &TokenStream,
    constant: &TokenStream,
) -> TokenStream {
    let (ident, vis) = (&item.sig.ident, &item.vis);
    let cfgs: Vec<_> = item.cfgs().collect();
    let name = ident.unraw();
    let doc = format!(" The {} `{name}`; see [`{name}()`].", attribute.word());
    quote! {
        #item

        #(#cfgs)*
        #[doc = #doc]
        #[allow(non_camel_case_types, dead_code, unreachable_pub, missing_debug_implementations, missing_copy_implementations)]
        #vis struct #ident {}

        #(#cfgs)*
        #[allow(deprecated, unused, private_interfaces, private_bounds, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]
        const _: () = {
            #constant

            impl #ident {
                /// Returns the definition that the attribute made.
                #vis fn def() -> &'static #def_type {
                    &__DEF
                }
                #methods
            }
        };
    }
}

/// Returns the type of a definition, and the word under which it is registered.
pub(crate) fn words(attribute: Attribute) -> (Ident, Ident) {
    let call_site = |name: &str| Ident::new(name, Span::call_site());
    match attribute {
        Attribute::Tool => (call_site("ToolDef"), call_site("tool")),
        Attribute::Resource => (call_site("ResourceDef"), call_site("resource")),
        _ => (call_site("PromptDef"), call_site("prompt")),
    }
}

/// The type of the arguments: a struct of its own, or the user's.
fn arguments(model: &Component) -> TokenStream {
    if let Some(whole) = model.function.whole() {
        return quote!(type __Arguments = #whole;);
    }
    let root = &model.root;
    let serde = root.text("serde");
    let (schema, schemars) = if model.attribute == Attribute::Resource {
        (None, None)
    } else {
        let path = root.text("schemars");
        (Some(quote!(, #root::__private::schemars::JsonSchema)), Some(quote!(#[schemars(crate = #path)])))
    };
    let fields = model.function.arguments().map(|argument| {
        let (attrs, ident, ty) = (&argument.attrs, &argument.ident, &argument.ty);
        quote!(#(#attrs)* #ident: #ty)
    });
    quote! {
        #[derive(#root::__private::serde::Deserialize #schema)]
        #[serde(crate = #serde, deny_unknown_fields)]
        #schemars
        struct __Arguments { #(#fields),* }
    }
}

fn call(model: &Component) -> TokenStream {
    let Component { root, function, .. } = model;
    let ident = &function.ident;
    let injected = function.parameters.iter().enumerate().filter_map(|(index, parameter)| {
        let name = binding(index);
        match &parameter.role {
            Role::Dep(ty) => Some(quote_spanned!(at(ty.span())=> let #name = __cx.dep::<#ty>().await?;)),
            Role::Pooled(ty) => {
                Some(quote_spanned!(at(ty.span())=> let #name = __cx.pooled::<#ty>().await?;))
            }
            Role::Ctx => Some(quote!(let #name = __cx.ctx();)),
            Role::Identity => Some(quote!(let #name = __cx.identity();)),
            Role::Argument(_) | Role::Whole(_) | Role::Config => None,
        }
    });
    let values = function.parameters.iter().enumerate().map(|(index, parameter)| match &parameter.role {
        Role::Argument(argument) => {
            let member = &argument.ident;
            quote!(__arguments.#member)
        }
        Role::Whole(_) => quote!(#root::Args(__arguments)),
        _ => binding(index).into_token_stream(),
    });
    // A type that cannot be returned is told where it is written.
    let span = at(function.output.span());
    let mut value = quote_spanned!(span=> #ident(#(#values),*));
    if model.blocking {
        value = quote_spanned!(span=> __cx.blocking(move || #value).await?);
    } else if function.is_async {
        value = quote_spanned!(span=> #value.await);
    }
    // A future that cannot be sent is told at the function's name.
    quote_spanned! {at(ident.span())=>
        fn call(
            __arguments: Self::Arguments,
            __cx: #root::__private::Invocation,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<Self::Output, #root::__private::ToolError>,
        > + ::core::marker::Send + 'static {
            async move {
                #(#injected)*
                ::core::result::Result::Ok(#value)
            }
        }
    }
}

/// Returns the place of the user's token for a generated one, whose names are still the macro's own:
/// a token out of a `macro_rules!` macro would not see them.
pub(crate) fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}

/// Names the injected value of a parameter.
pub(crate) fn binding(index: usize) -> Ident {
    format_ident!("__p{index}")
}

/// What the trait says beside the call: key, tags, what becomes invalid, when the cache is used.
fn facts(model: &Component) -> TokenStream {
    let Component { root, function, .. } = model;
    let mut facts = TokenStream::new();
    if let Some(cache) = &model.cache {
        let key = key(cache, function);
        facts.extend(quote! {
            fn key(__arguments: &Self::Arguments, __key: &mut #root::__private::KeyWriter) {
                #key
            }
        });
        if !cache.tags.is_empty() {
            let tags = cache.tags.iter().map(|tag| self::tag(model, tag));
            facts.extend(quote! {
                fn tags(__arguments: &Self::Arguments, __tags: &mut #root::__private::Tags) {
                    #(#tags)*
                }
            });
        }
        if let Some(when) = &cache.when {
            let asked = self::when(when, function);
            facts.extend(quote! {
                fn when(__arguments: &Self::Arguments) -> ::core::primitive::bool {
                    #asked
                }
            });
        }
    }
    if let Some(unless) = model.cache.as_ref().and_then(|cache| cache.unless.as_ref()) {
        let success = format_ident!("{}_success", model.attribute.word());
        let unless = match unless {
            Expr::Closure(_) => quote!(#unless),
            other => quote!(|__result| (#other)(__result)),
        };
        facts.extend(quote! {
            fn unless(__output: &Self::Output) -> ::core::primitive::bool {
                #root::__private::#success(__output).is_some_and(#unless)
            }
        });
    }
    if !model.invalidates.is_empty() {
        let targets = model.invalidates.iter().map(|target| match target {
            Target::Tag(tag) => self::tag(model, tag),
            Target::Resource(uri) => {
                let members = uri.members.iter().map(|Member { ident, reserved }| {
                    let part = Ident::new(
                        if *reserved { "uri_reserved_part" } else { "uri_part" },
                        Span::call_site(),
                    );
                    quote!(#root::__private::#part(&__arguments.#ident))
                });
                let uri = format(model, uri, members);
                quote!(__tags.resource(&#uri);)
            }
            Target::Component(attribute, path) => {
                let (def_type, _) = words(*attribute);
                quote_spanned! {at(path.span())=>
                    let __other: &'static #root::__private::#def_type = #path::def();
                    __tags.component(__other);
                }
            }
        });
        facts.extend(quote! {
            fn invalidates(__arguments: &Self::Arguments, __tags: &mut #root::__private::Tags) {
                #(#targets)*
            }
        });
    }
    facts
}

fn key(cache: &Cache, function: &Function) -> TokenStream {
    match &cache.key {
        Key::Whole => {
            let span = at(function.whole().map_or_else(Span::call_site, Type::span));
            quote_spanned!(span=> __key.field("", __arguments);)
        }
        Key::Members(members) => members
            .iter()
            .map(|(name, member)| {
                let argument = function.arguments().find(|argument| argument.ident == *member);
                let span = argument.map_or_else(|| member.span(), |argument| argument.ty.span());
                quote_spanned!(at(span)=> __key.field(#name, &__arguments.#member);)
            })
            .collect(),
    }
}

fn tag(model: &Component, tag: &Filled) -> TokenStream {
    if tag.members.is_empty() {
        let text = tag.format.value().replace("{{", "{").replace("}}", "}");
        return quote!(__tags.tag(#text););
    }
    let text = format(model, tag, tag.members.iter().map(|Member { ident, .. }| quote!(&__arguments.#ident)));
    quote!(__tags.tag(&#text);)
}

fn format(model: &Component, text: &Filled, values: impl Iterator<Item = TokenStream>) -> TokenStream {
    let (root, format) = (&model.root, &text.format);
    quote!(#root::__private::format!(#format #(, #values)*))
}

/// Asks `when = ..`; a closure's parameters have no types of their own, so it becomes a function pointer first.
fn when(when: &Expr, function: &Function) -> TokenStream {
    let (values, types): (Vec<TokenStream>, Vec<&Type>) = match function.whole() {
        Some(whole) => (vec![quote!(__arguments)], vec![whole]),
        None => function
            .arguments()
            .map(|argument| (&argument.ident, &argument.ty))
            .map(|(ident, ty)| (quote!(&__arguments.#ident), ty))
            .unzip(),
    };
    match when {
        Expr::Closure(_) => quote! {
            let __when: fn(#(&#types),*) -> ::core::primitive::bool = #when;
            __when(#(#values),*)
        },
        path => quote!((#path)(#(#values),*)),
    }
}

/// `invalidate`, `invalidate_all` and `prime`, of a component that caches.
fn cached(item: &Item, model: &Component) -> TokenStream {
    if model.cache.is_none() {
        return TokenStream::new();
    }
    let (root, function, vis) = (&model.root, &model.function, &item.vis);
    let output = &function.output;
    let (parameters, value) = if let Some(whole) = function.whole() {
        let parameters = quote!(__arguments: impl ::core::convert::Into<#root::Args<#whole>>,);
        let value = quote!(::core::convert::Into::<#root::Args<#whole>>::into(__arguments).0);
        (parameters, value)
    } else {
        let (idents, types): (Vec<&Ident>, Vec<&Type>) =
            function.arguments().map(|argument| (&argument.ident, &argument.ty)).unzip();
        (quote!(#(#idents: #types,)*), quote!(__Arguments { #(#idents),* }))
    };
    let prime = format_ident!("prime_{}", model.attribute.word());
    quote! {
        /// Makes the cached result for these arguments invalid.
        #vis async fn invalidate(__cache: &#root::__private::Cache, #parameters) {
            #root::__private::invalidate::<__Component>(__cache, Self::def(), #value).await;
        }

        /// Makes all cached results invalid.
        #vis async fn invalidate_all(__cache: &#root::__private::Cache) {
            #root::__private::invalidate_all(__cache, Self::def()).await;
        }

        /// Stores a result as if it had been computed now: for everybody where the scope is public, for
        /// the anonymous caller elsewhere.
        ///
        /// # Errors
        ///
        /// Fails with the error that the result is.
        #vis async fn prime(
            __cache: &#root::__private::Cache,
            #parameters
            __result: #output,
        ) -> ::core::result::Result<(), #root::__private::ToolError> {
            #root::__private::#prime::<__Component>(__cache, Self::def(), #value, __result).await
        }
    }
}
