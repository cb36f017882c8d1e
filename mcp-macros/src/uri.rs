//! URI templates (RFC 6570, levels 1 to 3): enough of a parser to find the variables and the mistakes.

use std::ops::Range;

use crate::duration::Mistake;

/// A variable of a template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: String,
    /// Where the name stands in the template.
    pub(crate) range: Range<usize>,
}

/// Lists the variables of a template.
///
/// # Errors
///
/// Fails without a scheme, at a brace without its other, and at what only level 4 has.
pub(crate) fn variables(template: &str) -> Result<Vec<Variable>, Mistake> {
    if !has_scheme(template) {
        return Err((
            0..template.len(),
            format!("`{template}` has no scheme: write a URI such as `\"product://{{id}}\"`"),
        ));
    }
    let mut found: Vec<Variable> = Vec::new();
    let mut open = None;
    for (at, letter) in template.char_indices() {
        let here = at..at + letter.len_utf8();
        match (letter, open) {
            ('{', None) => open = Some(at + 1),
            ('{', Some(_)) => return Err((here, "`{` inside `{..}`: close the first one".to_owned())),
            ('}', Some(start)) => {
                expression(template.get(start..at).unwrap_or_default(), start, &mut found)?;
                open = None;
            }
            ('}', None) => return Err((here, "`}` closes nothing: write `{name}`".to_owned())),
            (letter, None)
                if letter.is_whitespace() || letter.is_control() || "\"<>\\^`|".contains(letter) =>
            {
                return Err((here, format!("{letter:?} cannot stand in a URI: percent-encode it")));
            }
            _ => {}
        }
    }
    match open {
        Some(start) => Err((start - 1..template.len(), "`{` is not closed: write `{name}`".to_owned())),
        None => Ok(found),
    }
}

/// Reads `{+a,b}` without its braces.
fn expression(text: &str, start: usize, found: &mut Vec<Variable>) -> Result<(), Mistake> {
    if let Some(operator) = text.chars().next().filter(|letter| "=!@|".contains(*letter)) {
        return Err((start..start + 1, format!("RFC 6570 reserves the operator `{operator}`: leave it out")));
    }
    let names = text.strip_prefix(['+', '#', '.', '/', ';', '?', '&']).unwrap_or(text);
    let mut at = start + text.len() - names.len();
    for name in names.split(',') {
        let range = at..at + name.len();
        at += name.len() + 1;
        if name.is_empty() {
            return Err((range, "a variable needs a name: write `{name}`".to_owned()));
        }
        if name.contains(['*', ':']) {
            return Err((range, format!("`{{{name}}}` is RFC 6570 level 4: write the name alone")));
        }
        if let Some(letter) = name.chars().find(|letter| !letter.is_alphanumeric() && *letter != '_') {
            return Err((
                range,
                format!("{letter:?} cannot stand in a variable: write the name of a parameter"),
            ));
        }
        if found.iter().any(|variable| variable.name == name) {
            return Err((range, format!("`{{{name}}}` stands twice in the URI: keep one")));
        }
        found.push(Variable { name: name.to_owned(), range });
    }
    Ok(())
}

fn has_scheme(template: &str) -> bool {
    template.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn names(template: &str) -> Vec<String> {
        variables(template).unwrap().into_iter().map(|variable| variable.name).collect()
    }

    #[test]
    fn levels_one_to_three() {
        for (template, expected) in [
            ("a://x", vec![]),
            ("a://{x}", vec!["x"]),
            ("file:///{+path}{#f}{.e}{/x}{;y}{?q,n}{&z}", vec!["path", "f", "e", "x", "y", "q", "n", "z"]),
        ] {
            assert_eq!(names(template), expected, "{template}");
        }
    }

    #[test]
    fn mistaken_templates() {
        for (template, range, message) in [
            ("{x}", 0..3, "`{x}` has no scheme: write a URI such as `\"product://{id}\"`"),
            ("a://{x", 4..6, "`{` is not closed: write `{name}`"),
            ("a://x}", 5..6, "`}` closes nothing: write `{name}`"),
            ("a://{x{y}}", 6..7, "`{` inside `{..}`: close the first one"),
            ("a://{}", 5..5, "a variable needs a name: write `{name}`"),
            ("a://{x*}", 5..7, "`{x*}` is RFC 6570 level 4: write the name alone"),
            ("a://{x:3}", 5..8, "`{x:3}` is RFC 6570 level 4: write the name alone"),
            ("a://{!x}", 5..6, "RFC 6570 reserves the operator `!`: leave it out"),
            ("a://{x}{?x}", 9..10, "`{x}` stands twice in the URI: keep one"),
            ("a://b c", 5..6, "' ' cannot stand in a URI: percent-encode it"),
            ("a://{b-c}", 5..8, "'-' cannot stand in a variable: write the name of a parameter"),
        ] {
            assert_eq!(variables(template), Err((range, message.to_owned())), "{template}");
        }
    }

    #[test]
    fn any_text_is_answered() {
        let mut random = Random::new(11);
        for _ in 0..20_000 {
            let text = format!("a:{}", random.text("ab{}+?&,;#./:*!= \u{e9}\u{1f980}", 16));
            match variables(&text) {
                Ok(found) => assert!(
                    found.iter().all(|variable| text.get(variable.range.clone()) == Some(&*variable.name))
                ),
                Err((range, _)) => assert!(text.get(range).is_some(), "{text:?}"),
            }
        }
    }
}
