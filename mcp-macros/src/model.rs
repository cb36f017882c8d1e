//! A component as its attribute and its signature declare it: checked, and ready to be written out.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::{Expr, ExprLit, Lit, LitStr, Path};

use crate::cache::Cache;
use crate::entry::{At, Shape};
use crate::errors::Errors;
use crate::item::Item;
use crate::keys::{Attribute, Table};
use crate::lists::{complete, invalidates};
use crate::options::Options;
use crate::root::{Find, Root};
use crate::signature::Function;
use crate::template::Filled;
use crate::{address, doc};

/// A tool, a resource or a prompt.
pub(crate) struct Component {
    pub(crate) attribute: Attribute,
    pub(crate) root: Root,
    pub(crate) function: Function,
    pub(crate) name: String,
    pub(crate) description: Expr,
    pub(crate) title: Option<Expr>,
    pub(crate) icons: Option<Icons>,
    pub(crate) meta: Option<Expr>,
    pub(crate) slow: Option<u64>,
    pub(crate) timeout: Option<u64>,
    pub(crate) blocking: bool,
    pub(crate) concurrency: Option<u32>,
    pub(crate) scopes: Vec<LitStr>,
    pub(crate) profile: bool,
    pub(crate) hidden: bool,
    pub(crate) cache: Option<Cache>,
    pub(crate) invalidates: Vec<Target>,
    pub(crate) complete: Vec<(String, Expr)>,
    pub(crate) hints: Hints,
    pub(crate) background: Option<Background>,
    /// Where a resource is found; `None` on the others.
    pub(crate) address: Option<Address>,
}

/// The icons of a component.
pub(crate) enum Icons {
    Each(Vec<Expr>),
    All(Expr),
}

/// What a call makes invalid.
pub(crate) enum Target {
    Tag(Filled),
    Resource(Filled),
    Component(Attribute, Path),
}

/// What a tool says of itself.
#[derive(Default)]
pub(crate) struct Hints {
    pub(crate) read_only: Option<bool>,
    pub(crate) destructive: Option<bool>,
    pub(crate) idempotent: Option<bool>,
    pub(crate) open_world: Option<bool>,
}

/// `background(..)`.
#[derive(Default)]
pub(crate) struct Background {
    pub(crate) threshold: Option<u64>,
    pub(crate) input: Option<u64>,
    pub(crate) priority: Option<&'static str>,
    pub(crate) retries: Option<u32>,
}

/// Where a resource is found.
pub(crate) struct Address {
    pub(crate) uri: LitStr,
    pub(crate) mime: Option<LitStr>,
    pub(crate) list: Option<Expr>,
}

impl Component {
    /// Reads a component; mistakes are told as far as they can be told apart.
    pub(crate) fn read(
        attribute: Attribute,
        args: TokenStream,
        item: &Item,
        find: Find,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut options = Options::read(args, Table::Top(attribute), errors);
        let root = Root::read(options.take("crate"), find, errors);
        let function = Function::read(item, attribute, errors)?;
        let name = name(&mut options, attribute, &function, errors);
        let mut expression = |key| options.take(key).and_then(|entry| entry.expression(errors));
        let (title, description, meta) = (expression("title"), expression("description"), expression("meta"));
        let description =
            description.unwrap_or_else(|| text(&doc::description(&item.attrs), item.sig.ident.span()));
        let icons = icons(&mut options, errors);
        let mut duration =
            |key| options.take(key).and_then(|entry| entry.duration(errors)).map(|time| time.value);
        let (slow, timeout) = (duration("slow"), duration("timeout"));
        let mut flag = |key| options.take(key).and_then(|entry| entry.flag(errors));
        let (blocking, profile, hidden) = (flag("blocking"), flag("profile"), flag("hidden"));
        if let (Some(At { value: true, span }), true) = (blocking, function.is_async) {
            errors.add(span, "`blocking` is for functions that are not async: leave it out, or `async`");
        }
        let concurrency = options.take("concurrency").and_then(|entry| entry.count(1, errors));
        let scopes = scopes(&mut options, errors);
        let (hints, background) = (hints(&mut options, errors), background(&mut options, errors));
        let invalidates = invalidates(&mut options, hints.read_only, &function, errors);
        let cache = options.take("cache").or_else(|| options.take("cacheable")).map(|entry| {
            if hints.destructive == Some(true) {
                errors.add(entry.span(), "a cached call does not run, and a destructive tool has to: leave `cache` out, or `destructive`");
            }
            Cache::read(entry, attribute, &function, errors)
        });
        let address =
            (attribute == Attribute::Resource).then(|| address::read(&mut options, &name, &function, errors));
        let complete = complete(&mut options, address.as_ref().and_then(Option::as_ref), &function, errors);
        Some(Self {
            attribute,
            root: root?,
            name,
            description,
            title,
            icons,
            meta,
            slow,
            timeout,
            blocking: blocking.is_some_and(|blocking| blocking.value),
            concurrency,
            scopes,
            profile: profile.is_none_or(|profile| profile.value),
            hidden: hidden.is_some_and(|hidden| hidden.value),
            cache,
            invalidates,
            complete,
            hints,
            background,
            address: address.flatten(),
            function,
        })
    }
}

fn text(text: &str, span: Span) -> Expr {
    Expr::Lit(ExprLit { attrs: Vec::new(), lit: Lit::Str(LitStr::new(text, span)) })
}

/// Reads `name`; a tool's is held to the specification (2026-07-28, server/tools, "Tool Names").
fn name(options: &mut Options, attribute: Attribute, function: &Function, errors: &mut Errors) -> String {
    let written = options.take("name").and_then(|entry| entry.text("search", errors));
    let name = written.as_ref().map_or_else(|| function.ident.unraw().to_string(), LitStr::value);
    let span = written.as_ref().map_or_else(|| function.ident.span(), LitStr::span);
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    if name.is_empty() {
        errors.add(span, "the name is empty: write one, or leave `name` out");
    } else if attribute == Attribute::Tool && (name.len() > 128 || !name.chars().all(allowed)) {
        errors.add(
            span,
            format!("`{name}` cannot be the name of a tool: write 1 to 128 of `A`-`Z`, `a`-`z`, `0`-`9`, `_`, `-` and `.` in `name = \"..\"`"),
        );
    }
    name
}

/// Reads `icons("https://..", Icon::new(..))`, `icons = "https://.."` or `icons = list`.
fn icons(options: &mut Options, errors: &mut Errors) -> Option<Icons> {
    let entry = options.take("icons")?;
    if entry.is_list() {
        return Some(Icons::Each(entry.items("\"https://a/icon.png\"", errors)));
    }
    match entry.expression(errors)? {
        literal @ Expr::Lit(_) => Some(Icons::Each(vec![literal])),
        all => Some(Icons::All(all)),
    }
}

fn scopes(options: &mut Options, errors: &mut Errors) -> Vec<LitStr> {
    let scopes =
        options.take("scopes").map(|entry| entry.items::<LitStr>("\"read\"", errors)).unwrap_or_default();
    for scope in &scopes {
        if scope.value().is_empty() || scope.value().contains(char::is_whitespace) {
            errors.add(scope.span(), "a scope is one word: write `scopes(\"read\", \"write\")`");
        }
    }
    scopes
}

fn hints(options: &mut Options, errors: &mut Errors) -> Hints {
    let mut flag = |key| options.take(key).and_then(|entry| entry.flag(errors));
    let (read_only, destructive) = (flag("read_only"), flag("destructive"));
    let (idempotent, open_world) = (flag("idempotent"), flag("open_world"));
    if let (Some(At { value: true, .. }), Some(At { value: true, span })) = (read_only, destructive) {
        errors.add(span, "a tool cannot be `read_only` and `destructive`: keep one");
    }
    let value = |flag: Option<At<bool>>| flag.map(|flag| flag.value);
    Hints {
        read_only: value(read_only),
        destructive: value(destructive),
        idempotent: value(idempotent),
        open_world: value(open_world),
    }
}

fn background(options: &mut Options, errors: &mut Errors) -> Option<Background> {
    let entry = options.take("background")?;
    let span = entry.span();
    let tokens = match entry.shape() {
        Shape::Bare => return Some(Background::default()),
        Shape::Value(_) => {
            errors.add(span, "`background` has options of its own: write `background`, or `background(threshold = \"5s\")`");
            return None;
        }
        Shape::Options(tokens) => tokens,
    };
    let mut options = Options::read(tokens, Table::Background, errors);
    Some(Background {
        threshold: options.take("threshold").and_then(|entry| entry.duration(errors)).map(|time| time.value),
        input: options.take("input").and_then(|entry| entry.size(errors)).map(|size| size.value),
        priority: options
            .take("priority")
            .and_then(|entry| entry.word(&["high", "default", "low"], errors))
            .map(|word| word.value),
        retries: options.take("retries").and_then(|entry| entry.count(0, errors)),
    })
}
