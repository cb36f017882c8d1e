//! The signature: which parameters the caller fills in, which are injected, and what it returns.

use proc_macro2::Span;
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, FnArg, GenericArgument, Ident, LitStr, Pat, PatType, PathArguments, ReturnType, Safety, Type};

use crate::errors::{Errors, listed};
use crate::item::{Item, is_for_field};
use crate::keys;

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
                receiver.self_token.span(),
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
        if let Some(span) = Find::in_type(&output).impl_trait {
            errors.add(span, "`impl Trait` cannot be returned here: write the type");
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
            Some(last) if last == word => errors.add(attr.span(), format!("`#[{word}]` is given twice: keep one")),
            Some(other @ ("tool" | "resource" | "prompt" | "provider")) => errors.add(
                attr.span(),
                format!("a function is one component: keep `#[{word}]` or `#[{other}]`, and call it from a second function"),
            ),
            _ => {}
        }
    }
    if !sig.generics.params.is_empty() {
        let of = if attribute == keys::Attribute::Provider { "value" } else { "name and one schema" };
        errors.add(sig.generics.params.span(), format!("a {word} cannot be generic: it has one {of}; write the types out"));
    } else if let Some(clause) = &sig.generics.where_clause {
        errors.add(clause.span(), format!("a {word} has no `where` clause: leave it out"));
    }
    if let Some(token) = &sig.constness {
        errors.add(token.span(), format!("a {word} runs when it is called: leave `const` out"));
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.add(token.span(), format!("a {word} is called by anybody: leave `unsafe` out, and write the block inside"));
    }
    if let Some(abi) = &sig.abi {
        errors.add(abi.span(), format!("a {word} is a Rust function: leave `extern` out"));
    }
    if let Some(variadic) = &sig.variadic {
        errors.add(variadic.span(), format!("a {word} has a fixed list of parameters: leave `...` out"));
    }
}

/// Refuses what can be there only once, and arguments beside `Args<T>`.
fn once(parameters: &[Parameter], errors: &mut Errors) {
    let rules: [(&str, fn(&Role) -> bool); 3] = [
        ("Args", |role| matches!(role, Role::Whole(_))),
        ("Ctx", |role| matches!(role, Role::Ctx)),
        ("Identity", |role| matches!(role, Role::Identity)),
    ];
    for (name, matches) in rules {
        for parameter in parameters.iter().filter(|parameter| matches(&parameter.role)).skip(1) {
            errors.add(parameter.span, format!("a second `{name}`: keep one"));
        }
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
            errors.add(attr.span(), "a parameter cannot come and go: write `#[cfg(..)]` on the function");
            return None;
        }
        let role = Role::read(input, ident.as_ref(), attribute, errors)?;
        if ident.is_none() && !fits(&input.pat, &role) {
            errors.add(input.pat.span(), "a parameter is a name: take it apart in the body");
            return None;
        }
        let settings = input.attrs.iter().find(|attr| is_for_field(attr) && !attr.path().is_ident("doc"));
        if let (Some(attr), false) = (settings, matches!(role, Role::Argument(_))) {
            let message = match &role {
                Role::Whole(_) => "`Args<T>` is described by `T`: write the attribute there",
                _ => "this parameter is no argument, as the caller does not fill it in: leave the attribute out",
            };
            errors.add(attr.span(), message);
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
    fn read(input: &PatType, ident: Option<&Ident>, attribute: keys::Attribute, errors: &mut Errors) -> Option<Self> {
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
            (Some(_), true) => {
                errors.add(ty.span(), format!("this is passed by value: write `{}`", shown(inner)));
                None
            }
            (None, true) if last_segment(inner).is_some_and(|name| name == "Config") => {
                errors.add(ty.span(), "a shared value is passed as a `Dep`: write `Dep<Config>`");
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
                errors.add(ty.span(), message);
                None
            }
        }
    }
}

impl Argument {
    fn read(input: &PatType, ty: &Type, ident: Option<&Ident>, errors: &mut Errors) -> Option<Self> {
        let found = Find::in_type(ty);
        if let Some(span) = found.impl_trait {
            errors.add(span, "`impl Trait` cannot be an argument: write the type");
            return None;
        }
        if let Some((span, owned)) = found.reference {
            errors.add(span, format!("arguments are owned: write {owned}"));
            return None;
        }
        let Some(ident) = ident else {
            errors.add(input.pat.span(), "an argument needs a name: write `name: T`, or `Args(..): Args<T>` for all of them");
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

/// Says which arguments there are.
pub(crate) fn known(function: &Function) -> String {
    let names: Vec<&str> = function.arguments().map(|argument| argument.name.as_str()).collect();
    match names.as_slice() {
        [] => "the function has no arguments".to_owned(),
        [name] => format!("the argument is `{name}`"),
        names => format!("the arguments are {}", listed(names, "and")),
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

fn inner_type(ty: &Type, name: &str, errors: &mut Errors) -> Option<Type> {
    let inner = first_argument(ty);
    if inner.is_none() {
        errors.add(ty.span(), format!("`{name}` needs a type: write `{name}<T>`"));
    }
    inner.cloned()
}

/// Writes a type without the spaces between its tokens.
pub(crate) fn shown(ty: &impl ToTokens) -> String {
    let text = ty.to_token_stream().to_string();
    text.replace(" :: ", "::").replace(" <", "<").replace("< ", "<").replace(" >", ">").replace(" ,", ",").replace("& ", "&")
}

/// What an argument's or a result's type cannot contain.
#[derive(Default)]
struct Find {
    impl_trait: Option<Span>,
    reference: Option<(Span, String)>,
}

impl Find {
    fn in_type(ty: &Type) -> Self {
        let mut find = Self::default();
        find.visit_type(ty);
        find
    }
}

impl<'ast> Visit<'ast> for Find {
    fn visit_type_impl_trait(&mut self, ty: &'ast syn::TypeImplTrait) {
        self.impl_trait.get_or_insert(ty.span());
    }

    fn visit_type_reference(&mut self, ty: &'ast syn::TypeReference) {
        let owned = match ungrouped(&ty.elem) {
            Type::Path(path) if path.path.is_ident("str") => "`String`".to_owned(),
            Type::Slice(slice) => format!("`Vec<{}>`", shown(&slice.elem)),
            elem => format!("`{}`", shown(elem)),
        };
        self.reference.get_or_insert_with(|| (ty.span(), owned));
        visit::visit_type_reference(self, ty);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
        if lifetime.ident != "static" {
            self.reference.get_or_insert_with(|| (lifetime.span(), "a type without lifetimes".to_owned()));
        }
    }

    // Functions have references of their own.
    fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}
}

