//! `#[provider]`: a function that makes a shared value.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{ReturnType, Type};

use crate::definition::needs;
use crate::errors::Errors;
use crate::expand::{at, beside, binding};
use crate::item::Item;
use crate::keys::{Attribute, Table};
use crate::options::Options;
use crate::root::{Find, Root};
use crate::signature::{Function, Role};
use crate::types::{first_argument, last_segment, owned, shown};

/// A provider.
pub(crate) struct Provider {
    root: Root,
    function: Function,
    value: Type,
    fallible: bool,
    preload: bool,
    pool: Option<u32>,
}

impl Provider {
    /// Reads a provider.
    pub(crate) fn read(args: TokenStream, item: &Item, find: Find, errors: &mut Errors) -> Option<Self> {
        let mut options = Options::read(args, Table::Top(Attribute::Provider), errors);
        let root = Root::read(options.take("crate"), find, errors);
        let preload = options.take("preload").and_then(|entry| entry.flag(errors));
        let pool = options.take("pool").and_then(|entry| entry.count(1, errors));
        let function = Function::read(item, Attribute::Provider, errors)?;
        let (value, fallible) = provided(item, &function, errors)?;
        for parameter in &function.parameters {
            if let Role::Dep(ty) = &parameter.role
                && ty.to_token_stream().to_string() == value.to_token_stream().to_string()
            {
                errors.add(
                    ty,
                    format!("this provider makes the `{}` that it takes: take another type", shown(ty)),
                );
            }
        }
        let preload = preload.is_some_and(|preload| preload.value);
        Some(Self { root: root?, function, value, fallible, preload, pool })
    }
}

/// Finds the type of the value, and whether making it can fail.
fn provided(item: &Item, function: &Function, errors: &mut Errors) -> Option<(Type, bool)> {
    let output = &function.output;
    if matches!(item.sig.output, ReturnType::Default) {
        errors.add(
            item.sig.ident.span(),
            "a provider returns the value that it makes: write `-> T`, or `-> Result<T, ToolError>`",
        );
        return None;
    }
    if last_segment(output).is_some_and(|name| name == "Result") {
        let value = first_argument(output).cloned();
        if value.is_none() {
            errors.add(output, "the type of the value has to be seen here: write `Result<T, ToolError>`");
        }
        return value.map(|value| (value, true));
    }
    if let Type::Reference(reference) = output {
        errors.add(reference, format!("a provider returns a value of its own: write {}", owned(reference)));
        return None;
    }
    Some((output.clone(), false))
}

/// Writes the function as it was, and what makes a provider of it.
pub(crate) fn expand(item: &Item, model: &Provider) -> TokenStream {
    let Provider { root, function, value, fallible, preload, pool } = model;
    let ident = &function.ident;
    let name = ident.unraw().to_string();
    let injected = function.parameters.iter().enumerate().map(|(index, parameter)| {
        let name = binding(index);
        match &parameter.role {
            Role::Dep(ty) => quote_spanned!(at(ty.span())=> let #name = __cx.dep::<#ty>().await?;),
            _ => quote!(let #name = __cx.config();),
        }
    });
    let values = function.parameters.iter().enumerate().map(|(index, parameter)| {
        let name = binding(index);
        if matches!(parameter.role, Role::Config) { quote!(&#name) } else { quote!(#name) }
    });
    let waited = function.is_async.then(|| quote!(.await));
    let tried = fallible.then(|| quote!(?));
    // A future that cannot be sent is told at the function's name.
    let provide = quote_spanned! {at(ident.span())=>
        fn provide(
            __cx: #root::__private::Building,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<Self::Value, #root::__private::ToolError>,
        > + ::core::marker::Send + 'static {
            async move {
                #(#injected)*
                ::core::result::Result::Ok(#ident(#(#values),*) #waited #tried)
            }
        }
    };
    let preload = preload.then(|| quote!(.preload()));
    let pool = pool.map(|size| {
        let size = proc_macro2::Literal::u32_unsuffixed(size);
        quote!(.pool(#size))
    });
    let needs = needs(&function.parameters, root);
    let constant = quote! {
        struct __Provider;

        impl #root::__private::Provide for __Provider {
            type Value = #value;

            #provide
        }

        static __DEF: #root::__private::ProviderDef =
            #root::__private::ProviderDef::new::<__Provider>(#name, #root::__private::place!()) #preload #pool #needs;

        #root::__private::register!(provider: &__DEF);
    };
    beside(item, Attribute::Provider, &quote!(#root::__private::ProviderDef), &TokenStream::new(), &constant)
}
