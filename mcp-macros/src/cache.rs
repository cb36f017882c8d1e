//! `cache(..)`: what is kept, for whom, for how long.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::{Expr, ExprLit, Lit, LitStr};

use crate::entry::{At, Shape};
use crate::errors::Errors;
use crate::keys::{Attribute, Table};
use crate::options::{Entry, Options};
use crate::signature::{Function, Role, meant};
use crate::template::{Filled, Use};

/// The cache policy of a component.
#[derive(Default)]
pub(crate) struct Cache {
    pub(crate) ttl: Option<u64>,
    /// The variant of `Scope`.
    pub(crate) scope: Option<Ident>,
    pub(crate) tags: Vec<Filled>,
    pub(crate) stale: Option<u64>,
    pub(crate) stale_if_error: Option<u64>,
    pub(crate) refresh_ahead: Option<RefreshAhead>,
    pub(crate) negative: Option<u64>,
    pub(crate) key: Key,
    pub(crate) when: Option<Expr>,
    pub(crate) unless: Option<Expr>,
    /// The variant of `Levels`.
    pub(crate) levels: Option<Ident>,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) version: Option<u32>,
}

/// What makes the key.
#[derive(Default)]
pub(crate) enum Key {
    /// The whole of `Args<T>`.
    #[default]
    Whole,
    /// Members of the arguments, with the names that callers use.
    Members(Vec<(String, Ident)>),
}

/// When a refresh starts early.
pub(crate) enum RefreshAhead {
    At(Lit),
    Auto,
}

impl Cache {
    /// Reads `cache`, `cache = "300s"` or `cache(..)`.
    pub(crate) fn read(entry: Entry, attribute: Attribute, function: &Function, errors: &mut Errors) -> Self {
        let mut cache = Self::default();
        let mut options = Options::read(TokenStream::new(), Table::Cache(attribute), errors);
        match entry.shape() {
            Shape::Bare => {}
            Shape::Value(entry) => cache.ttl = entry.duration(errors).map(|ttl| ttl.value),
            Shape::Options(tokens) => options = Options::read(tokens, Table::Cache(attribute), errors),
        }
        cache.durations(&mut options, errors);
        if let Some(scope) =
            options.take("scope").and_then(|entry| entry.word(&["private", "tenant", "public"], errors))
        {
            if let (true, Some(parameter)) =
                (scope.value == "public", function.find(|role| matches!(role, Role::Identity)))
            {
                let message = "a result that everybody shares cannot depend on who asks: write `scope = \"private\"`, or leave the `Identity` out";
                errors.add(parameter.span, message);
            }
            cache.scope = Some(variant(&scope));
        }
        let tags =
            options.take("tags").map(|entry| entry.items::<LitStr>("\"users\"", errors)).unwrap_or_default();
        cache.tags =
            tags.into_iter().filter_map(|tag| Filled::read(&tag, Use::Tag, function, errors)).collect();
        cache.refresh_ahead = options.take("refresh_ahead").and_then(|entry| refresh_ahead(entry, errors));
        let (only, skip) = (options.take("key"), options.take("skip"));
        cache.key = key(only, skip, attribute, function, errors);
        cache.when = options.take("when").and_then(|entry| entry.expression(errors));
        cache.unless = options.take("unless").and_then(|entry| entry.expression(errors));
        let levels =
            options.take("levels").and_then(|entry| entry.word(&["memory", "shared", "all"], errors));
        cache.levels = levels.as_ref().map(variant);
        cache.max_bytes =
            options.take("max_bytes").and_then(|entry| entry.size(errors)).map(|size| size.value);
        cache.version = options.take("version").and_then(|entry| entry.count(0, errors));
        cache
    }

    fn durations(&mut self, options: &mut Options, errors: &mut Errors) {
        let mut take = |key| options.take(key).and_then(|entry| entry.duration(errors));
        let ttl = take("ttl").map(|ttl| ttl.value);
        self.stale = take("stale").map(|stale| stale.value);
        self.negative = take("negative").map(|negative| negative.value);
        let stale_if_error = take("stale_if_error");
        if let (Some(ttl), Some(At { value, span })) = (ttl, stale_if_error)
            && value < ttl
        {
            let message = "`stale_if_error` counts from the start of a result's life, as `ttl` does, and ends before it: write a longer one";
            errors.add(span, message);
        }
        self.ttl = self.ttl.or(ttl);
        self.stale_if_error = stale_if_error.map(|stale| stale.value);
    }
}

fn variant(word: &At<&str>) -> Ident {
    let mut letters = word.value.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let name: String = first.into_iter().chain(letters).collect();
    format_ident!("{name}", span = Span::call_site())
}

fn refresh_ahead(entry: Entry, errors: &mut Errors) -> Option<RefreshAhead> {
    let value = entry.expression(errors)?;
    match &value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "auto" => {
            return Some(RefreshAhead::Auto);
        }
        Expr::Lit(ExprLit { lit: Lit::Float(share), .. })
            if share.base10_parse::<f64>().is_ok_and(|share| share > 0.0 && share < 1.0) =>
        {
            return Some(RefreshAhead::At(Lit::Float(share.clone())));
        }
        _ => {}
    }
    let written = value.to_token_stream();
    errors.add(
        &value,
        format!("`refresh_ahead` is a share of the ttl between 0 and 1, not `{written}`: write `refresh_ahead = 0.8` or `\"auto\"`"),
    );
    None
}

/// Finds what makes the key, and refuses what cannot be part of one.
fn key(
    only: Option<Entry>,
    skip: Option<Entry>,
    attribute: Attribute,
    function: &Function,
    errors: &mut Errors,
) -> Key {
    if let (Some(_), Some(skip)) = (&only, &skip) {
        errors.add(skip.span(), "`key` says what makes the key, and so what does not: leave `skip` out");
        return Key::default();
    }
    let chosen = only.is_some();
    let only = only.map(|entry| entry.items::<Ident>("id", errors));
    let skip = skip.map(|entry| entry.items::<Ident>("ctx", errors)).unwrap_or_default();
    context(chosen, &skip, attribute, function, errors);
    for name in only.iter().flatten() {
        check(name, "key", function, false, errors);
    }
    for name in &skip {
        check(name, "skip", function, true, errors);
    }
    match (function.whole(), only) {
        (Some(_), None) => Key::Whole,
        (Some(_), Some(only)) => {
            let named = |ident: Ident| (ident.to_string().trim_start_matches("r#").to_owned(), ident);
            Key::Members(only.into_iter().map(named).collect())
        }
        (None, only) => {
            let kept = |ident: &Ident| match &only {
                Some(only) => only.contains(ident),
                None => !skip.contains(ident),
            };
            let arguments = function.arguments().filter(|argument| kept(&argument.ident));
            Key::Members(arguments.map(|argument| (argument.name.clone(), argument.ident.clone())).collect())
        }
    }
}

/// Refuses a `Ctx` that nobody said has no part in the result.
fn context(chosen: bool, skip: &[Ident], attribute: Attribute, function: &Function, errors: &mut Errors) {
    let Some(parameter) = function.find(|role| matches!(role, Role::Ctx)) else { return };
    if chosen || parameter.ident.as_ref().is_some_and(|ident| skip.contains(ident)) {
        return;
    }
    let name = parameter.ident.as_ref().map_or_else(|| "ctx".to_owned(), ToString::to_string);
    let key = attribute.cache_key();
    errors.add(
        parameter.span,
        format!("a cached result cannot depend on the request: leave `{name}` out, or write `{key}(skip({name}))` where it has no part in the result"),
    );
}

fn check(name: &Ident, list: &str, function: &Function, skip: bool, errors: &mut Errors) {
    let parameter = function.parameters.iter().find(|parameter| parameter.ident.as_ref() == Some(name));
    let injected =
        parameter.map(|parameter| &parameter.role).filter(|role| !matches!(role, Role::Argument(_)));
    match injected {
        Some(Role::Ctx) if skip => {}
        Some(Role::Whole(_)) => {
            errors.add(
                name.span(),
                format!("`{name}` is all arguments: name the fields of `T` that count in `key(..)`"),
            );
        }
        Some(_) => errors
            .add(name.span(), format!("`{name}` is no argument and never part of the key: leave it out")),
        None if function.whole().is_some() && skip => {
            errors.add(
                name.span(),
                "`skip` cannot look into `Args<T>`: name the fields that count in `key(..)`",
            );
        }
        None if parameter.is_none() && function.whole().is_none() => {
            let hint = meant(&name.to_string(), function);
            errors.add(name.span(), format!("`{list}` names `{name}`, which is no parameter{hint}"));
        }
        None => {}
    }
}
