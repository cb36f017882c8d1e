//! Collects mistakes, so that several are told at once, and finds the word that was meant.

use std::fmt::Display;
use std::ops::Range;

use proc_macro2::Span;
use quote::ToTokens;
use syn::LitStr;

/// The mistakes found so far; only [`collect`] makes one, and it reads what was found.
pub(crate) struct Errors(Option<syn::Error>);

/// Runs `read` with a collector. What it returns counts only where no mistake was found.
pub(crate) fn collect<T>(read: impl FnOnce(&mut Errors) -> Option<T>) -> syn::Result<T> {
    let mut errors = Errors(None);
    let value = read(&mut errors);
    match (errors.0, value) {
        (Some(error), _) => Err(error),
        (None, Some(value)) => Ok(value),
        (None, None) => Err(syn::Error::new(Span::call_site(), "the attribute cannot be read")),
    }
}

impl Errors {
    /// Adds a mistake at a place.
    pub(crate) fn add(&mut self, place: impl Place, message: impl Display) {
        self.push(place.error(message));
    }

    /// Adds a mistake that a parser found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }
}

/// Where a mistake is: one token's span, or the tokens.
pub(crate) trait Place {
    /// Makes the error.
    fn error(self, message: impl Display) -> syn::Error;
}

impl Place for Span {
    fn error(self, message: impl Display) -> syn::Error {
        syn::Error::new(self, message)
    }
}

impl<T: ToTokens> Place for &T {
    fn error(self, message: impl Display) -> syn::Error {
        syn::Error::new_spanned(self, message)
    }
}

/// Returns the span of a part of a literal's value, or of the whole literal where the compiler
/// cannot tell (stable compilers cannot) or the text is written with escapes.
pub(crate) fn inside(literal: &LitStr, range: Range<usize>) -> Span {
    let token = literal.token();
    let value = literal.value();
    token
        .to_string()
        .find(&value)
        .filter(|_| !value.is_empty())
        .and_then(|start| token.subspan(start + range.start..start + range.end))
        .unwrap_or_else(|| literal.span())
}

/// Returns ``; did you mean `word`?`` for the nearest of the known words, or nothing.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    nearest(word, known).map_or_else(String::new, |known| format!("; did you mean `{known}`?"))
}

/// Returns the known word that was probably meant.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |word: &str| word.replace(['_', '-'], "").to_lowercase();
    let meant = plain(word);
    let limit = (meant.chars().count() / 3).max(1);
    let begun = known.iter().copied().find(|known| meant.len() >= 3 && plain(known).starts_with(&meant));
    let close = known
        .iter()
        .map(|known| (distance(&meant, &plain(known)), *known))
        .filter(|(distance, known)| *distance <= limit && *distance < known.len())
        .min_by_key(|(distance, _)| *distance);
    close.map(|(_, known)| known).or(begun)
}

/// Counts the letters to insert, remove, replace or swap between two words (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (row, letter) in a.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in b.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&above, column) + usize::from(letter != *other);
            let removed = at(&above, column + 1) + 1;
            let inserted = at(&current, column) + 1;
            let mut least = replaced.min(removed).min(inserted);
            let swapped = column > 0 && last == Some(*other) && b.get(column - 1) == Some(&letter);
            if swapped {
                least = least.min(at(&before, column - 1) + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
        last = Some(letter);
    }
    above.last().copied().unwrap_or_default()
}

/// Writes words as `` `a`, `b` and `c` ``.
pub(crate) fn listed(words: &[&str], and: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {and} {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_word() {
        let known = ["cache", "read_only", "description", "ttl", "idempotent", "name"];
        for (word, meant) in [
            ("cach", Some("cache")),
            ("cahce", Some("cache")),
            ("readonly", Some("read_only")),
            ("readOnly", Some("read_only")),
            ("desc", Some("description")),
            ("tll", Some("ttl")),
            ("idempotant", Some("idempotent")),
            ("zebra", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), meant, "{word}");
        }
    }

    #[test]
    fn mistakes_add_up() {
        let all = collect(|errors| {
            errors.add(Span::call_site(), "one");
            errors.add(Span::call_site(), "two");
            Some(())
        });
        let all: Vec<String> = all.unwrap_err().into_iter().map(|error| error.to_string()).collect();
        assert_eq!(all, ["one", "two"]);
    }

    #[test]
    fn a_word_list() {
        assert_eq!(listed(&["a"], "or"), "`a`");
        assert_eq!(listed(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}
