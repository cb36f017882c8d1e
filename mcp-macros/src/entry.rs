//! The value of one option, as what it has to be.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens as _;
use syn::parse::{Parse, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, LitStr, Token};

use crate::duration::{self, Mistake};
use crate::errors::{Errors, did_you_mean, inside, listed};
use crate::options::{Entry, Value};

/// A value and where it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl Entry {
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
            errors.add(&self.written(), format!("`{key}` is on or off: write `{key}` or `{key} = false`"));
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
                errors.add(&self.written(), format!("`{0}` is text: write `{0} = \"{example}\"`", self.key));
                None
            }
        }
    }

    /// Returns the value as one of a few words.
    pub(crate) fn word(self, known: &[&'static str], errors: &mut Errors) -> Option<At<&'static str>> {
        let key = self.key.clone();
        let text = self.text(known.first().copied().unwrap_or_default(), errors)?;
        let value = text.value();
        let found =
            known.iter().find(|known| **known == value).map(|value| At { value: *value, span: text.span() });
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

    fn quantity(
        self,
        read: fn(&str) -> Result<u64, Mistake>,
        unit: &str,
        errors: &mut Errors,
    ) -> Option<At<u64>> {
        let key = self.key.clone();
        let written = self.written();
        let Value::Assign(Expr::Lit(ExprLit { lit, .. })) = &self.value else {
            errors.add(&written, format!("`{key}` is a number with a unit: write `{key} = \"300{unit}\"`"));
            return None;
        };
        match lit {
            Lit::Str(text) => match read(&text.value()) {
                Ok(value) => Some(At { value, span: text.span() }),
                Err((range, message)) => {
                    errors.add(inside(text, range), message);
                    None
                }
            },
            // `300`, or `300s`, which Rust reads as a number with an odd suffix.
            Lit::Int(number) => {
                let unit = if number.suffix().is_empty() { unit } else { "" };
                errors.add(
                    &written,
                    format!("`{key}` is text with a unit: write `{key} = \"{number}{unit}\"`"),
                );
                None
            }
            _ => {
                errors
                    .add(&written, format!("`{key}` is a number with a unit: write `{key} = \"300{unit}\"`"));
                None
            }
        }
    }

    /// Returns the value as a whole number of at least `least`.
    pub(crate) fn count(self, least: u32, errors: &mut Errors) -> Option<u32> {
        let key = &self.key;
        let number = match &self.value {
            Value::Assign(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) => {
                number.base10_parse::<u32>().ok()
            }
            _ => None,
        };
        match number {
            Some(number) if number >= least => Some(number),
            Some(_) => {
                errors.add(
                    &self.written(),
                    format!("`{key}` is at least {least}: write `{key} = 8`, or leave it out"),
                );
                None
            }
            None => {
                errors.add(&self.written(), format!("`{key}` is a whole number: write `{key} = 8`"));
                None
            }
        }
    }

    /// Returns the items of `key(a, b)`.
    pub(crate) fn items<T: Parse>(self, example: &str, errors: &mut Errors) -> Vec<T> {
        let Value::List(tokens) = self.value else {
            errors.add(&self.written(), format!("`{0}` takes a list: write `{0}({example})`", self.key));
            return Vec::new();
        };
        match Punctuated::<T, Token![,]>::parse_terminated.parse2(tokens.clone()) {
            Ok(items) if !items.is_empty() => items.into_iter().collect(),
            Ok(_) => {
                let message = format!("`{0}` is empty: write `{0}({example})`, or leave it out", self.key);
                errors.add(&self.key, message);
                Vec::new()
            }
            Err(_) => {
                errors.add(&tokens, format!("`{0}` takes a list: write `{0}({example})`", self.key));
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

    fn written(&self) -> TokenStream {
        match &self.value {
            Value::Assign(value) => value.to_token_stream(),
            Value::Flag | Value::List(_) => self.key.to_token_stream(),
        }
    }
}

/// An option that may be bare, one value, or options of its own.
pub(crate) enum Shape {
    Bare,
    Value(Entry),
    Options(TokenStream),
}
