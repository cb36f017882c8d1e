//! Text with `{parameter}` in it, as tags and invalidated URIs are written.

use std::ops::Range;

use proc_macro2::{Ident, Span};
use syn::LitStr;

use crate::duration::Mistake;
use crate::errors::{Errors, did_you_mean, inside};
use crate::signature::{Function, known};

/// Text with the parameters that fill it in.
pub(crate) struct Filled {
    /// The text as a format string with `{}` at each place.
    pub(crate) format: LitStr,
    /// The members of the arguments, in order.
    pub(crate) members: Vec<Ident>,
}

impl Filled {
    /// Reads a template; each name in it is an argument of the function, or a field of its `Args<T>`.
    pub(crate) fn read(literal: LitStr, function: &Function, errors: &mut Errors) -> Option<Self> {
        let (format, names) = match parse(&literal.value()) {
            Ok(parsed) => parsed,
            Err((range, message)) => {
                errors.add(inside(&literal, range), message);
                return None;
            }
        };
        let mut members = Vec::new();
        for (name, range) in names {
            match member(&name, literal.span(), function) {
                Some(member) => members.push(member),
                None => errors.add(inside(&literal, range), unknown(&name, function)),
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
    let names: Vec<&str> = function.arguments().map(|argument| argument.name.as_str()).collect();
    let hint = did_you_mean(name, &names);
    let hint = if hint.is_empty() { format!("; {}", known(function)) } else { hint };
    format!("`{{{name}}}` has no parameter named `{name}`{hint}")
}

type Parsed = (String, Vec<(String, Range<usize>)>);

fn parse(text: &str) -> Result<Parsed, Mistake> {
    if text.is_empty() {
        return Err((0..0, "empty text: write a name such as `\"users\"`".to_owned()));
    }
    let mut format = String::new();
    let mut names = Vec::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '{' | '}' if letters.next_if(|(_, next)| *next == letter).is_some() => format.extend([letter, letter]),
            '{' => {
                let rest = text.get(at + 1..).unwrap_or_default();
                let Some(length) = rest.find('}') else {
                    return Err((at..text.len(), "`{` is not closed: write `{parameter}`".to_owned()));
                };
                let name = rest.get(..length).unwrap_or_default();
                let range = at + 1..at + 1 + length;
                if name.is_empty() || !name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
                    return Err((range, format!("`{{{name}}}` is filled in with a parameter: write `{{parameter}}`")));
                }
                names.push((name.to_owned(), range.clone()));
                format.push_str("{}");
                while letters.next_if(|(next, _)| *next <= range.end).is_some() {}
            }
            '}' => return Err((at..at + 1, "`}` closes nothing: write `{parameter}`, or `}}` for a brace".to_owned())),
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
        assert_eq!(parse("users").unwrap(), ("users".to_owned(), vec![]));
        assert_eq!(parse("user:{id}!").unwrap(), ("user:{}!".to_owned(), vec![("id".to_owned(), 6..8)]));
        assert_eq!(parse("a{{b}}").unwrap(), ("a{{b}}".to_owned(), vec![]));
    }

    #[test]
    fn mistaken_templates() {
        for text in ["", "{", "}", "a{b", "{}", "{+x}", "{a b}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn any_text_is_answered() {
        let mut random = Random::new(13);
        for _ in 0..20_000 {
            let text = random.text("ab{}{}_:\u{e9}\u{1f980}", 12);
            match parse(&text) {
                Ok((format, names)) => assert_eq!(format.replace("{{", "").matches("{}").count(), names.len(), "{text:?}"),
                Err((range, _)) => assert!(text.get(range).is_some(), "{text:?}"),
            }
        }
    }
}
