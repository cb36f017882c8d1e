//! What is written between an attribute's parentheses: keys, values, and their places.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Lit, LitStr, Token};

use crate::duration::{self, Mistake};
use crate::errors::{Errors, did_you_mean, inside, listed};
use crate::keys::Table;

/// A value and where it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// The options of one table: known, and each at most once.
pub(crate) struct Options(Vec<Entry>);

/// One option.
pub(crate) struct Entry {
    key: Ident,
    value: Value,
}

enum Value {
    Flag,
    Assign(Expr),
    List(TokenStream),
}

impl Options {
    /// Reads options; unknown and repeated keys and malformed values are told and left out.
    pub(crate) fn read(tokens: TokenStream, table: Table, errors: &mut Errors) -> Self {
        let parsed = (|input: ParseStream<'_>| {
            let mut entries: Vec<Entry> = Vec::new();
            while !input.is_empty() {
                match input.parse::<Entry>() {
                    Ok(entry) => entry.admit(table, &mut entries, errors),
                    Err(error) => {
                        errors.push(error);
                        skip_to_comma(input)?;
                    }
                }
                if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                    errors.add(input.span(), "expected `,` between two options");
                    skip_to_comma(input)?;
                    let _ = input.parse::<Token![,]>();
                }
            }
            Ok(entries)
        })
        .parse2(tokens);
        Self(parsed.unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        }))
    }

    /// Takes an option out.
    pub(crate) fn take(&mut self, key: &str) -> Option<Entry> {
        let at = self.0.iter().position(|entry| entry.key == key)?;
        Some(self.0.swap_remove(at))
    }
}

impl Entry {
    /// Adds the option to the others unless its key is unknown or repeated.
    fn admit(self, table: Table, entries: &mut Vec<Self>, errors: &mut Errors) {
        let key = self.key.to_string();
        if !table.keys().contains(&&*key) {
            errors.add(self.key.span(), table.unknown(&key));
        } else if let Some(other) =
            entries.iter().find(|other| table.canonical(&other.key.to_string()) == table.canonical(&key))
        {
            let message = if other.key == key {
                format!("`{key}` is given twice: keep one")
            } else {
                format!("`{key}` and `{}` are one option: keep one", other.key)
            };
            errors.add(self.key.span(), message);
        } else {
            entries.push(self);
        }
    }

    /// Returns the place of the key.
    pub(crate) fn span(&self) -> Span {
        self.key.span()
    }

    /// Returns `true` for the bare key, and what `= true` or `= false` says.
    pub(crate) fn flag(self, errors: &mut Errors) -> Option<At<bool>> {
        let span = self.key.span();
        let value = match &self.value {
            Value::Flag => Some(true),
            Value::Assign(Expr::Lit(ExprLit { lit: Lit::Bool(value), .. })) => Some(value.value),
            _ => None,
        };
        if value.is_none() {
            let key = &self.key;
            errors.add(self.value_span(), format!("`{key}` is on or off: write `{key}` or `{key} = false`"));
        }
        value.map(|value| At { value, span })
    }

    /// Returns the value as an expression.
    pub(crate) fn expression(self, errors: &mut Errors) -> Option<Expr> {
        match self.value {
            Value::Assign(value) => Some(value),
            _ => {
                errors.add(self.key.span(), format!("`{0}` needs a value: write `{0} = ..`", self.key));
                None
            }
        }
    }

    /// Returns the value as a text literal; `example` is shown where it is something else.
    pub(crate) fn text(self, example: &str, errors: &mut Errors) -> Option<LitStr> {
        match self.value {
            Value::Assign(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Some(text),
            _ => {
                errors.add(self.value_span(), format!("`{0}` is text: write `{0} = \"{example}\"`", self.key));
                None
            }
        }
    }

    /// Returns the value as one of a few words.
    pub(crate) fn word(self, known: &[&'static str], errors: &mut Errors) -> Option<At<&'static str>> {
        let key = self.key.clone();
        let text = self.text(known.first().copied().unwrap_or_default(), errors)?;
        let value = text.value();
        let found = known.iter().find(|known| **known == value).map(|value| At { value: *value, span: text.span() });
        if found.is_none() {
            let hint = did_you_mean(&value, known);
            let quoted: Vec<String> = known.iter().map(|known| format!("\"{known}\"")).collect();
            let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
            let hint = if hint.is_empty() { format!(": write {}", listed(&quoted, "or")) } else { hint };
            errors.add(text.span(), format!("unknown `{key}` `{value}`{hint}"));
        }
        found
    }

    /// Returns the value as a duration in milliseconds.
    pub(crate) fn duration(self, errors: &mut Errors) -> Option<At<u64>> {
        self.quantity(duration::duration, "s", errors)
    }

    /// Returns the value as a size in bytes.
    pub(crate) fn size(self, errors: &mut Errors) -> Option<At<u64>> {
        self.quantity(duration::size, "KB", errors)
    }

    fn quantity(self, read: fn(&str) -> Result<u64, Mistake>, unit: &str, errors: &mut Errors) -> Option<At<u64>> {
        let key = self.key.clone();
        let span = self.value_span();
        let Value::Assign(Expr::Lit(ExprLit { lit, .. })) = &self.value else {
            errors.add(span, format!("`{key}` is a number with a unit: write `{key} = \"300{unit}\"`"));
            return None;
        };
        match lit {
            Lit::Str(text) => match read(&text.value()) {
                Ok(value) => Some(At { value, span }),
                Err((range, message)) => {
                    errors.add(inside(text, range), message);
                    None
                }
            },
            // `300`, or `300s`, which Rust reads as a number with an odd suffix.
            Lit::Int(number) => {
                let unit = if number.suffix().is_empty() { unit } else { "" };
                errors.add(span, format!("`{key}` is text with a unit: write `{key} = \"{number}{unit}\"`"));
                None
            }
            _ => {
                errors.add(span, format!("`{key}` is a number with a unit: write `{key} = \"300{unit}\"`"));
                None
            }
        }
    }

    /// Returns the value as a whole number of at least `least`.
    pub(crate) fn count(self, least: u32, errors: &mut Errors) -> Option<u32> {
        let key = &self.key;
        let number = match &self.value {
            Value::Assign(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) => number.base10_parse::<u32>().ok(),
            _ => None,
        };
        match number {
            Some(number) if number >= least => Some(number),
            Some(_) => {
                errors.add(self.value_span(), format!("`{key}` is at least {least}: write `{key} = 8`, or leave it out"));
                None
            }
            None => {
                errors.add(self.value_span(), format!("`{key}` is a whole number: write `{key} = 8`"));
                None
            }
        }
    }

    /// Returns the items of `key(a, b)`.
    pub(crate) fn items<T: Parse>(self, example: &str, errors: &mut Errors) -> Vec<T> {
        let Value::List(tokens) = self.value else {
            errors.add(self.value_span(), format!("`{0}` takes a list: write `{0}({example})`", self.key));
            return Vec::new();
        };
        match Punctuated::<T, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(items) if items.is_empty() => {
                errors.add(self.key.span(), format!("`{0}` is empty: write `{0}({example})`, or leave it out", self.key));
                Vec::new()
            }
            Ok(items) => items.into_iter().collect(),
            Err(error) => {
                let span = if error.span().source_text().is_some() { error.span() } else { self.key.span() };
                errors.add(span, format!("`{0}` takes a list: write `{0}({example})`", self.key));
                Vec::new()
            }
        }
    }

    /// Returns whether it is written `key(..)`.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.value, Value::List(_))
    }

    /// Splits `key`, `key = value` and `key(options)`.
    pub(crate) fn shape(self) -> Shape {
        match self.value {
            Value::Flag => Shape::Bare,
            Value::Assign(_) => Shape::Value(self),
            Value::List(tokens) => Shape::Options(tokens),
        }
    }

    fn value_span(&self) -> Span {
        match &self.value {
            Value::Assign(value) => value.span(),
            Value::Flag | Value::List(_) => self.key.span(),
        }
    }
}

/// An option that may be bare, one value, or options of its own.
pub(crate) enum Shape {
    Bare,
    Value(Entry),
    Options(TokenStream),
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let Ok(key) = input.call(Ident::parse_any) else {
            return Err(input.error("expected an option: write `name = \"..\"`, `cache` and the like"));
        };
        let value = if input.peek(Token![=]) {
            let equals: Token![=] = input.parse()?;
            if input.is_empty() || input.peek(Token![,]) {
                return Err(syn::Error::new(
                    key.span(),
                    format!("`{key} {}` needs a value: write `{key} = ..`", equals.to_token_stream()),
                ));
            }
            Value::Assign(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            Value::List(content.parse()?)
        } else {
            Value::Flag
        };
        Ok(Self { key, value })
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::errors::collect;
    use crate::keys::Attribute;

    fn mistakes(tokens: TokenStream, read: impl FnOnce(&mut Options, &mut Errors)) -> Vec<String> {
        let result = collect(|errors| {
            let mut options = Options::read(tokens, Table::Top(Attribute::Tool), errors);
            read(&mut options, errors);
            Some(())
        });
        result.err().into_iter().flatten().map(|error| error.to_string()).collect()
    }

    #[test]
    fn independent_mistakes_are_told_together() {
        let found = mistakes(quote!(nam = "x", slow = , hidden hidden, timeout = "30s", timeout = "31s", "x"), |_, _| {});
        assert_eq!(
            found,
            [
                "unknown option `nam` for `#[tool]`; did you mean `name`?",
                "`slow =` needs a value: write `slow = ..`",
                "expected `,` between two options",
                "`timeout` is given twice: keep one",
                "expected an option: write `name = \"..\"`, `cache` and the like",
            ]
        );
    }

    #[test]
    fn values() {
        let found = mistakes(
            quote!(slow = 300, timeout = 30s, concurrency = 0, hidden = "x", name = 5, scopes = "read", title),
            |options, errors| {
                options.take("slow").unwrap().duration(errors);
                options.take("timeout").unwrap().duration(errors);
                options.take("concurrency").unwrap().count(1, errors);
                options.take("hidden").unwrap().flag(errors);
                options.take("name").unwrap().text("search", errors);
                options.take("scopes").unwrap().items::<LitStr>("\"read\"", errors);
                options.take("title").unwrap().expression(errors);
            },
        );
        assert_eq!(
            found,
            [
                "`slow` is text with a unit: write `slow = \"300s\"`",
                "`timeout` is text with a unit: write `timeout = \"30s\"`",
                "`concurrency` is at least 1: write `concurrency = 8`, or leave it out",
                "`hidden` is on or off: write `hidden` or `hidden = false`",
                "`name` is text: write `name = \"search\"`",
                "`scopes` takes a list: write `scopes(\"read\")`",
                "`title` needs a value: write `title = ..`",
            ]
        );
    }

    #[test]
    fn commas_inside_a_value() {
        let found = mistakes(quote!(meta = f(|a, b| g::<A, B>(a, b)), hidden), |options, errors| {
            assert!(options.take("meta").unwrap().expression(errors).is_some());
            assert!(options.take("hidden").unwrap().flag(errors).unwrap().value);
        });
        assert!(found.is_empty(), "{found:?}");
    }
}
