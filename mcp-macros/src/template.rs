//! Text with `{parameter}` in it, as tags and invalidated URIs are written.

use std::ops::Range;

use proc_macro2::{Ident, Span};
use syn::LitStr;

use crate::duration::Mistake;
use crate::errors::{Errors, inside};
use crate::signature::{Function, meant};

/// Text with the parameters that fill it in.
pub(crate) struct Filled {
    /// The text as a format string with `{}` at each place.
    pub(crate) format: LitStr,
    /// The members of the arguments, in order.
    pub(crate) members: Vec<Member>,
}

/// A member of the arguments.
pub(crate) struct Member {
    pub(crate) ident: Ident,
    /// Whether it is written `{+name}`: what is reserved in a URI stays as it is.
    pub(crate) reserved: bool,
}

/// Where a template stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Use {
    Tag,
    Uri,
}

impl Filled {
    /// Reads a template; each name in it is an argument of the function, or a field of its `Args<T>`.
    pub(crate) fn read(
        literal: &LitStr,
        r#use: Use,
        function: &Function,
        errors: &mut Errors,
    ) -> Option<Self> {
        let (format, names) = match parse(&literal.value(), r#use) {
            Ok(parsed) => parsed,
            Err((range, message)) => {
                errors.add(inside(literal, range), message);
                return None;
            }
        };
        let mut members = Vec::new();
        for (name, range) in names {
            let plain = name.trim_start_matches('+');
            match member(plain, literal.span(), function) {
                Some(ident) => members.push(Member { ident, reserved: plain != name }),
                None => errors.add(inside(literal, range), unknown(plain, function)),
            }
        }
        Some(Self { format: LitStr::new(&format, literal.span()), members })
    }
}

fn member(name: &str, span: Span, function: &Function) -> Option<Ident> {
    let mut ident = if function.whole().is_some() {
        syn::parse_str(name).or_else(|_| syn::parse_str(&format!("r#{name}"))).ok()?
    } else {
        function.arguments().find(|argument| argument.is_called(name))?.ident.clone()
    };
    ident.set_span(span);
    Some(ident)
}

/// Says that a `{name}` is no argument.
pub(crate) fn unknown(name: &str, function: &Function) -> String {
    let hint = meant(name, function);
    format!("`{{{name}}}` has no parameter named `{name}`{hint}")
}

type Parsed = (String, Vec<(String, Range<usize>)>);

fn parse(text: &str, r#use: Use) -> Result<Parsed, Mistake> {
    if text.is_empty() {
        return Err((0..0, "empty text: write a name such as `\"users\"`".to_owned()));
    }
    let mut format = String::new();
    let mut names = Vec::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '{' | '}' if letters.next_if(|(_, next)| *next == letter).is_some() => {
                format.extend([letter, letter]);
            }
            '{' => {
                let rest = text.get(at + 1..).unwrap_or_default();
                let Some(length) = rest.find('}') else {
                    return Err((at..text.len(), "`{` is not closed: write `{parameter}`".to_owned()));
                };
                let name = rest.get(..length).unwrap_or_default();
                let range = at + 1..at + 1 + length;
                let plain = if r#use == Use::Uri { name.strip_prefix('+').unwrap_or(name) } else { name };
                if plain.is_empty() || !plain.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
                {
                    return Err((
                        range,
                        format!("`{{{name}}}` is filled in with a parameter: write `{{parameter}}`"),
                    ));
                }
                names.push((name.to_owned(), range.clone()));
                format.push_str("{}");
                while letters.next_if(|(next, _)| *next <= range.end).is_some() {}
            }
            '}' => {
                return Err((
                    at..at + 1,
                    "`}` closes nothing: write `{parameter}`, or `}}` for a brace".to_owned(),
                ));
            }
            _ => format.push(letter),
        }
    }
    Ok((format, names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn templates() {
        let parse = |text| parse(text, Use::Tag);
        assert_eq!(parse("users").unwrap(), ("users".to_owned(), vec![]));
        assert_eq!(parse("user:{id}!").unwrap(), ("user:{}!".to_owned(), vec![("id".to_owned(), 6..8)]));
        assert_eq!(parse("a{{b}}").unwrap(), ("a{{b}}".to_owned(), vec![]));
        assert_eq!(
            super::parse("a:{+b}", Use::Uri).unwrap(),
            ("a:{}".to_owned(), vec![("+b".to_owned(), 3..5)])
        );
    }

    #[test]
    fn mistaken_templates() {
        for text in ["", "{", "}", "a{b", "{}", "{+x}", "{a b}"] {
            assert!(parse(text, Use::Tag).is_err(), "{text}");
        }
    }

    #[test]
    fn any_text_is_answered() {
        let mut random = Random::new(13);
        for _ in 0..20_000 {
            let text = random.text("ab{}{}_:\u{e9}\u{1f980}", 12);
            match parse(&text, Use::Uri) {
                Ok((format, names)) => {
                    assert_eq!(format.replace("{{", "").matches("{}").count(), names.len(), "{text:?}");
                }
                Err((range, _)) => assert!(text.get(range).is_some(), "{text:?}"),
            }
        }
    }
}
