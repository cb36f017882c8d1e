//! A component as Rust: data, and one call into the runtime.
//!
//! Paths start at the root or at `::core`, generated names with `__`: nothing that the user has in
//! scope is captured. The trait is implemented for a type inside the constant, as one that is as
//! visible as the function could not have arguments or results that are less so (E0446).

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, Type};

use crate::cache::{Cache, Key, RefreshAhead};
use crate::item::Item;
use crate::keys::Attribute;
use crate::model::{Background, Component, Icons, Target};
use crate::signature::{Function, Parameter, Role};
use crate::template::Filled;

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
pub(crate) fn beside(item: &Item, attribute: Attribute, def_type: &TokenStream, methods: &TokenStream, constant: &TokenStream) -> TokenStream {
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
        #[allow(deprecated, unused, private_interfaces, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]
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

fn words(attribute: Attribute) -> (Ident, Ident) {
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
            Role::Dep(ty) => Some(quote_spanned!(ty.span()=> let #name = __cx.dep::<#ty>().await?;)),
            Role::Pooled(ty) => Some(quote_spanned!(ty.span()=> let #name = __cx.pooled::<#ty>().await?;)),
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
    let mut value = quote!(#ident(#(#values),*));
    if model.blocking {
        value = quote!(__cx.blocking(move || #value).await?);
    } else if function.is_async {
        value = quote!(#value.await);
    }
    let unless = model.cache.as_ref().and_then(|cache| cache.unless.as_ref());
    let reply = format_ident!("{}_reply{}", model.attribute.word(), if unless.is_some() { "_unless" } else { "" });
    let cx = (model.attribute == Attribute::Resource).then(|| quote!(, &__cx));
    let unless = unless.map(|unless| match unless {
        Expr::Closure(_) => quote!(, #unless),
        other => quote!(, |__result| (#other)(__result)),
    });
    // A future that cannot be sent is told at the function's name.
    let body = quote_spanned! {ident.span()=>
        async move {
            #(#injected)*
            #root::__private::#reply(#value #cx #unless)
        }
    };
    quote! {
        fn call(
            __arguments: Self::Arguments,
            __cx: #root::__private::Invocation,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<#root::__private::Reply, #root::__private::ToolError>,
        > + ::core::marker::Send + 'static {
            #body
        }
    }
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
                fn when(__arguments: &Self::Arguments) -> bool {
                    #asked
                }
            });
        }
    }
    if !model.invalidates.is_empty() {
        let targets = model.invalidates.iter().map(|target| match target {
            Target::Tag(tag) => self::tag(model, tag),
            Target::Resource(uri) => {
                let members = uri.members.iter().map(|member| quote!(#root::__private::uri_part(&__arguments.#member)));
                let uri = format(model, uri, members);
                quote!(__tags.resource(#uri);)
            }
            Target::Component(attribute, path) => {
                let (def_type, _) = words(*attribute);
                quote_spanned! {path.span()=>
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
            let span = function.whole().map_or_else(Span::call_site, |ty| ty.span());
            quote_spanned!(span=> __key.field("", __arguments);)
        }
        Key::Members(members) => members
            .iter()
            .map(|(name, member)| {
                let argument = function.arguments().find(|argument| argument.ident == *member);
                let span = argument.map_or_else(|| member.span(), |argument| argument.ty.span());
                quote_spanned!(span=> __key.field(#name, &__arguments.#member);)
            })
            .collect(),
    }
}

fn tag(model: &Component, tag: &Filled) -> TokenStream {
    if tag.members.is_empty() {
        let text = tag.format.value().replace("{{", "{").replace("}}", "}");
        return quote!(__tags.tag(#text););
    }
    let text = format(model, tag, tag.members.iter().map(|member| quote!(&__arguments.#member)));
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
        None => function.arguments().map(|argument| (&argument.ident, &argument.ty)).map(|(ident, ty)| (quote!(&__arguments.#ident), ty)).unzip(),
    };
    match when {
        Expr::Closure(_) => quote! {
            let __when: fn(#(&#types),*) -> bool = #when;
            __when(#(#values),*)
        },
        path => quote!((#path)(#(#values),*)),
    }
}

/// The definition: a constructor and a setter for each thing that is declared.
fn definition(model: &Component) -> TokenStream {
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
    // A type that cannot be returned is told where it is written.
    let new = quote_spanned!(function.output.span()=> #root::__private::#def_type::new::<__Component>);
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
        let (idents, types): (Vec<&Ident>, Vec<&Type>) = function.arguments().map(|argument| (&argument.ident, &argument.ty)).unzip();
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

        /// Stores a result as if it had been computed now.
        ///
        /// # Errors
        ///
        /// Fails where the scope is not public, and with the error that the result is.
        #vis async fn prime(
            __cache: &#root::__private::Cache,
            #parameters
            __result: #output,
        ) -> ::core::result::Result<(), #root::__private::ToolError> {
            #root::__private::#prime::<__Component>(__cache, Self::def(), #value, __result).await
        }
    }
}
