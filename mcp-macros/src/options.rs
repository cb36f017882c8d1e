//! What is written between an attribute's parentheses: keys, values, and their places.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Expr, Token};

use crate::errors::Errors;
use crate::keys::Table;

/// The options of one table: known, and each at most once.
pub(crate) struct Options(Vec<Entry>);

/// One option.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

/// What stands behind a key.
pub(crate) enum Value {
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
    use syn::LitStr;

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
        let found = mistakes(
            quote!(nam = "x", slow = , hidden hidden, timeout = "30s", timeout = "31s", "x"),
            |_, _| {},
        );
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
            quote!(
                slow = 300,
                timeout = 30s,
                concurrency = 0,
                hidden = "x",
                name = 5,
                scopes = "read",
                title
            ),
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
