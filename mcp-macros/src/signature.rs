//! The signature: which parameters the caller fills in, which are injected, and what it returns.

use proc_macro2::Span;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, FnArg, GenericParam, Ident, LitStr, Pat, PatType, ReturnType, Safety, Type};

use crate::errors::{Errors, did_you_mean, listed};
use crate::item::{Item, is_for_field};
use crate::keys;
use crate::types::{Find, inner_type, last_segment, shown, ungrouped};

/// A signature that can be a component or a provider.
pub(crate) struct Function {
    pub(crate) ident: Ident,
    pub(crate) is_async: bool,
    pub(crate) parameters: Vec<Parameter>,
    /// The returned type; `()` where none is written.
    pub(crate) output: Type,
}

/// One parameter.
pub(crate) struct Parameter {
    pub(crate) role: Role,
    /// Its name, unless it is a pattern.
    pub(crate) ident: Option<Ident>,
    pub(crate) span: Span,
}

/// Where the value of a parameter comes from.
pub(crate) enum Role {
    /// The caller: one argument.
    Argument(Argument),
    /// The caller: the whole argument object, `Args<T>`.
    Whole(Type),
    Ctx,
    Identity,
    /// A shared value, `Dep<T>`.
    Dep(Type),
    /// A value out of a pool, `Pooled<T>`.
    Pooled(Type),
    /// `&Config`, in a provider.
    Config,
}

/// An argument that the caller fills in by name.
pub(crate) struct Argument {
    pub(crate) ident: Ident,
    /// The name that the caller uses: that of the parameter, or of its `#[serde(rename = "..")]`.
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// Doc comment, `#[serde(..)]` and `#[schemars(..)]`.
    pub(crate) attrs: Vec<Attribute>,
}

impl Function {
    /// Reads a signature.
    pub(crate) fn read(item: &Item, attribute: keys::Attribute, errors: &mut Errors) -> Option<Self> {
        let sig = &item.sig;
        if let Some(receiver) = sig.receiver() {
            let word = attribute.word();
            errors.add(
                &receiver.self_token,
                format!("`#[{word}]` goes on a free function: take the value that `self` is as `Dep<T>`"),
            );
            return None;
        }
        qualifiers(item, attribute, errors);
        let parameters = sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(input) => Parameter::read(input, attribute, errors),
            FnArg::Receiver(_) => None,
        });
        let parameters: Vec<Parameter> = parameters.collect();
        once(&parameters, errors);
        let output = match &sig.output {
            ReturnType::Default => Type::Verbatim(quote!(())),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        if let Some(written) = Find::in_type(&output).impl_trait {
            errors.add(&written, "`impl Trait` cannot be returned here: write the type");
        }
        Some(Self { ident: sig.ident.clone(), is_async: sig.asyncness.is_some(), parameters, output })
    }

    /// Returns the arguments, in order.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Argument> {
        self.parameters.iter().filter_map(|parameter| match &parameter.role {
            Role::Argument(argument) => Some(argument),
            _ => None,
        })
    }

    /// Returns the `T` of `Args<T>`.
    pub(crate) fn whole(&self) -> Option<&Type> {
        self.parameters.iter().find_map(|parameter| match &parameter.role {
            Role::Whole(ty) => Some(ty),
            _ => None,
        })
    }

    /// Returns the first parameter of a role.
    pub(crate) fn find(&self, role: impl Fn(&Role) -> bool) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| role(&parameter.role))
    }
}

/// Refuses what a component cannot be: generic, `const`, `unsafe`, variadic, two components at once.
fn qualifiers(item: &Item, attribute: keys::Attribute, errors: &mut Errors) {
    let sig = &item.sig;
    let word = attribute.word();
    for attr in &item.attrs {
        let last = attr.path().segments.last().map(|segment| segment.ident.to_string());
        match last.as_deref() {
            Some(last) if last == word => errors.add(attr, format!("`#[{word}]` is given twice: keep one")),
            Some(other @ ("tool" | "resource" | "prompt" | "provider")) => errors.add(
                attr,
                format!("a function is one component: keep `#[{word}]` or `#[{other}]`, and call it from a second function"),
            ),
            _ => {}
        }
    }
    let only_lifetimes =
        sig.generics.params.iter().all(|parameter| matches!(parameter, GenericParam::Lifetime(_)));
    let borrows = || {
        sig.inputs
            .iter()
            .any(|input| matches!(input, FnArg::Typed(input) if Find::in_type(&input.ty).reference.is_some()))
    };
    if only_lifetimes && borrows() {
        // Told at the argument, with what to write.
    } else if !sig.generics.params.is_empty() {
        let of = if attribute == keys::Attribute::Provider { "value" } else { "name and one schema" };
        errors.add(
            &sig.generics.params,
            format!("a {word} cannot be generic: it has one {of}; write the types out"),
        );
    } else if let Some(clause) = &sig.generics.where_clause {
        errors.add(clause, format!("a {word} has no `where` clause: leave it out"));
    }
    if let Some(token) = &sig.constness {
        errors.add(token, format!("a {word} runs when it is called: leave `const` out"));
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.add(
            token,
            format!("a {word} is called by anybody: leave `unsafe` out, and write the block inside"),
        );
    }
    if let Some(abi) = &sig.abi {
        errors.add(abi, format!("a {word} is a Rust function: leave `extern` out"));
    }
    if let Some(variadic) = &sig.variadic {
        errors.add(variadic, format!("a {word} has a fixed list of parameters: leave `...` out"));
    }
}

/// Refuses what can be there only once, and arguments beside `Args<T>`.
fn once(parameters: &[Parameter], errors: &mut Errors) {
    let mut seen = Vec::new();
    for parameter in parameters {
        let name = match parameter.role {
            Role::Whole(_) => "Args",
            Role::Ctx => "Ctx",
            Role::Identity => "Identity",
            Role::Argument(_) | Role::Dep(_) | Role::Pooled(_) | Role::Config => continue,
        };
        if seen.contains(&name) {
            errors.add(parameter.span, format!("a second `{name}`: keep one"));
        }
        seen.push(name);
    }
    if parameters.iter().any(|parameter| matches!(parameter.role, Role::Whole(_))) {
        for parameter in parameters.iter().filter(|parameter| matches!(parameter.role, Role::Argument(_))) {
            errors.add(parameter.span, "`Args<T>` is all arguments: make this one a field of `T`");
        }
    }
}

impl Parameter {
    fn read(input: &PatType, attribute: keys::Attribute, errors: &mut Errors) -> Option<Self> {
        let ident = match &*input.pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Some(pat.ident.clone()),
            _ => None,
        };
        if let Some(attr) = input.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
            errors.add(attr, "a parameter cannot come and go: write `#[cfg(..)]` on the function");
            return None;
        }
        let role = Role::read(input, ident.as_ref(), attribute, errors)?;
        if ident.is_none() && !fits(&input.pat, &role) {
            errors.add(&input.pat, "a parameter is a name: take it apart in the body");
            return None;
        }
        let settings = input.attrs.iter().find(|attr| is_for_field(attr) && !attr.path().is_ident("doc"));
        if let (Some(attr), false) = (settings, matches!(role, Role::Argument(_))) {
            let message = match &role {
                Role::Whole(_) => "`Args<T>` is described by `T`: write the attribute there",
                _ => {
                    "this parameter is no argument, as the caller does not fill it in: leave the attribute out"
                }
            };
            errors.add(attr, message);
        }
        let span = ident.as_ref().map_or_else(|| input.pat.span(), Ident::span);
        Some(Self { role, ident, span })
    }
}

/// Returns whether a pattern that is no name can stand for a parameter: `Args(x)`, `_` where it is injected.
fn fits(pat: &Pat, role: &Role) -> bool {
    match (pat, role) {
        (Pat::TupleStruct(pat), Role::Whole(_)) => {
            pat.path.segments.last().is_some_and(|segment| segment.ident == "Args")
        }
        (Pat::Wild(_), role) => !matches!(role, Role::Argument(_)),
        _ => false,
    }
}

impl Role {
    fn read(
        input: &PatType,
        ident: Option<&Ident>,
        attribute: keys::Attribute,
        errors: &mut Errors,
    ) -> Option<Self> {
        let ty = ungrouped(&input.ty);
        if attribute == keys::Attribute::Provider {
            return Self::of_provider(ty, errors);
        }
        let (inner, by_reference) = match ty {
            Type::Reference(reference) => (ungrouped(&reference.elem), true),
            ty => (ty, false),
        };
        let role = match last_segment(inner) {
            Some(name) if name == "Ctx" => Some(Self::Ctx),
            Some(name) if name == "Identity" => Some(Self::Identity),
            Some(name) if name == "Args" => Some(Self::Whole(inner_type(inner, "Args", errors)?)),
            Some(name) if name == "Dep" => Some(Self::Dep(inner_type(inner, "Dep", errors)?)),
            Some(name) if name == "Pooled" => Some(Self::Pooled(inner_type(inner, "Pooled", errors)?)),
            _ => None,
        };
        match (role, by_reference) {
            (Some(role), true) => {
                errors.add(ty, format!("this is passed by value: write `{}`", shown(inner)));
                Some(role)
            }
            (None, true) if last_segment(inner).is_some_and(|name| name == "Config") => {
                errors.add(ty, "a shared value is passed as a `Dep`: write `Dep<Config>`");
                None
            }
            (Some(role), false) => Some(role),
            (None, _) => Argument::read(input, ty, ident, errors).map(Self::Argument),
        }
    }

    fn of_provider(ty: &Type, errors: &mut Errors) -> Option<Self> {
        match ty {
            Type::Reference(reference)
                if reference.mutability.is_none()
                    && last_segment(ungrouped(&reference.elem)).is_some_and(|name| name == "Config") =>
            {
                Some(Self::Config)
            }
            ty if last_segment(ty).is_some_and(|name| name == "Dep") => {
                Some(Self::Dep(inner_type(ty, "Dep", errors)?))
            }
            ty => {
                let message = "a provider takes `&Config`, and `Dep<T>` of what other providers make";
                errors.add(ty, message);
                None
            }
        }
    }
}

impl Argument {
    fn read(input: &PatType, ty: &Type, ident: Option<&Ident>, errors: &mut Errors) -> Option<Self> {
        let found = Find::in_type(ty);
        if let Some(written) = found.impl_trait {
            errors.add(&written, "`impl Trait` cannot be an argument: write the type");
        } else if let Some((written, owned)) = found.reference {
            errors.add(&written, format!("arguments are owned: write {owned}"));
        }
        let Some(ident) = ident else {
            errors.add(
                &input.pat,
                "an argument needs a name: write `name: T`, or `Args(..): Args<T>` for all of them",
            );
            return None;
        };
        let attrs: Vec<Attribute> = input.attrs.iter().filter(|attr| is_for_field(attr)).cloned().collect();
        let name = renamed(&attrs).unwrap_or_else(|| ident.unraw().to_string());
        Some(Self { ident: ident.clone(), name, ty: ty.clone(), attrs })
    }

    /// Returns whether `name` means this argument.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.ident.unraw() == name
    }
}

/// Says which argument was meant by a name that is none, or which there are.
pub(crate) fn meant(name: &str, function: &Function) -> String {
    let names: Vec<&str> = function.arguments().map(|argument| argument.name.as_str()).collect();
    match (did_you_mean(name, &names), names.as_slice()) {
        (hint, _) if !hint.is_empty() => hint,
        (_, []) => "; the function has no arguments".to_owned(),
        (_, [name]) => format!("; the argument is `{name}`"),
        (_, names) => format!("; the arguments are {}", listed(names, "and")),
    }
}

/// Reads `#[serde(rename = "..")]`.
fn renamed(attrs: &[Attribute]) -> Option<String> {
    let mut name = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // Malformed attributes are serde's to report.
        let _ = attr.parse_nested_meta(|meta| {
            if meta.input.peek(syn::Token![=]) {
                let value = meta.value()?.parse::<syn::Lit>()?;
                if let (true, syn::Lit::Str(text)) = (meta.path.is_ident("rename"), value) {
                    name = Some(LitStr::value(&text));
                }
            }
            Ok(())
        });
    }
    name
}
