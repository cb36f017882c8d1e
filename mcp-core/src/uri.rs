//! URI templates (RFC 6570, levels 1 to 3): which URI belongs to which resource, with which variables.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Display;

/// The longest URI that is matched, in bytes: matching takes time in proportion to its square.
pub const MAX_URI: usize = 4096;

/// A parsed template.
///
/// # Examples
///
/// ```
/// use mcp_core::uri::Template;
///
/// let template = Template::parse("git://{rev}/{+path}").unwrap();
/// let found = template.matches("git://HEAD/src/main%20file.rs").unwrap();
/// assert_eq!(found, [("rev".into(), "HEAD".into()), ("path".into(), "src/main file.rs".into())]);
/// assert!(template.matches("git://HEAD").is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    Expression { operator: Operator, names: Vec<String> },
}

/// The operators of RFC 6570, section 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Simple,
    Reserved,
    Fragment,
    Label,
    Path,
    Parameter,
    Query,
    Continuation,
}

impl Operator {
    /// Returns what stands before the first value, and between values (section 3.2.1, table 1).
    const fn marks(self) -> (&'static str, char) {
        match self {
            Self::Simple | Self::Reserved => ("", ','),
            Self::Fragment => ("#", ','),
            Self::Label => (".", '.'),
            Self::Path => ("/", '/'),
            Self::Parameter => (";", ';'),
            Self::Query => ("?", '&'),
            Self::Continuation => ("&", '&'),
        }
    }

    const fn is_named(self) -> bool {
        matches!(self, Self::Parameter | Self::Query | Self::Continuation)
    }

    /// Returns whether a value may hold a character as it stands.
    fn allows(self, byte: u8) -> bool {
        is_unreserved(byte)
            || byte == b'%'
            || !byte.is_ascii() // IRIs are met in the wild, and no operator separates by them
            || (matches!(self, Self::Reserved | Self::Fragment) && b":/?#[]@!$&'()*+,;=".contains(&byte))
    }
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    ///
    /// Fails, saying what to write, at a brace without its partner, an empty or repeated variable,
    /// an operator or a modifier beyond level 3.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut seen = HashSet::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (literal, from) = rest.split_at(open);
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let inside = from.strip_prefix('{').ok_or_else(|| format!("`}}` without `{{` in `{text}`"))?;
            let close = inside.find(['{', '}']).filter(|close| inside[*close..].starts_with('}'));
            let close = close.ok_or_else(|| format!("`{{` without `}}` in `{text}`"))?;
            let expression = expression(&inside[..close])?;
            if let Part::Expression { names, .. } = &expression
                && let Some(twice) = names.iter().find(|name| !seen.insert((*name).clone()))
            {
                return Err(format!("variable `{twice}` stands twice in `{text}`"));
            }
            parts.push(expression);
            rest = &inside[close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Returns the names of the variables in their order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts
            .iter()
            .flat_map(|part| match part {
                Part::Literal(_) => [].iter(),
                Part::Expression { names, .. } => names.iter(),
            })
            .map(String::as_str)
    }

    /// Returns how many characters are fixed: of two templates that match, the one with more is meant.
    pub fn fixed_len(&self) -> usize {
        let literals = self.parts.iter().map(|part| match part {
            Part::Literal(text) => text.len(),
            Part::Expression { .. } => 0,
        });
        literals.sum()
    }

    /// Returns the decoded values of the variables if the URI is an expansion of this template.
    ///
    /// Variables of `{?q}`, `{&q}`, `{;q}`, `{/q}`, `{.q}` and `{#q}` may be absent, as undefined
    /// ones are from an expansion; the query's may stand in any order. A URI longer than [`MAX_URI`]
    /// matches nothing.
    pub fn matches(&self, uri: &str) -> Option<Vec<(String, String)>> {
        if uri.len() > MAX_URI {
            return None;
        }
        let mut matcher = Matcher { parts: &self.parts, uri, values: Vec::new(), dead: HashSet::new() };
        matcher.go(0, 0).then_some(matcher.values)
    }
}

fn expression(text: &str) -> Result<Part, String> {
    let (operator, names) = match text.chars().next() {
        Some('+') => (Operator::Reserved, &text[1..]),
        Some('#') => (Operator::Fragment, &text[1..]),
        Some('.') => (Operator::Label, &text[1..]),
        Some('/') => (Operator::Path, &text[1..]),
        Some(';') => (Operator::Parameter, &text[1..]),
        Some('?') => (Operator::Query, &text[1..]),
        Some('&') => (Operator::Continuation, &text[1..]),
        Some(reserved @ ('=' | ',' | '!' | '@' | '|')) => {
            return Err(format!(
                "operator `{reserved}` is reserved by RFC 6570: write one of `+ # . / ; ? &`, or none"
            ));
        }
        _ => (Operator::Simple, text),
    };
    let names = names.split(',').map(name).collect::<Result<_, _>>()?;
    Ok(Part::Expression { operator, names })
}

fn name(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("empty variable: write its name between the braces".to_owned());
    }
    if name.contains(['*', ':']) {
        return Err(format!("`{name}` has a modifier of RFC 6570's level 4: write the name alone"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.') {
        return Err(format!("`{name}` is no variable name: write letters, digits and `_`"));
    }
    Ok(name.to_owned())
}

/// A depth-first search that visits each pair of part and position once.
struct Matcher<'a> {
    parts: &'a [Part],
    uri: &'a str,
    values: Vec<(String, String)>,
    dead: HashSet<(usize, usize)>,
}

impl Matcher<'_> {
    fn go(&mut self, part: usize, at: usize) -> bool {
        let Some(current) = self.parts.get(part) else { return at == self.uri.len() };
        if self.dead.contains(&(part, at)) {
            return false;
        }
        let kept = self.values.len();
        let found = match current {
            Part::Literal(text) => {
                self.uri[at..].starts_with(text.as_str()) && self.go(part + 1, at + text.len())
            }
            Part::Expression { operator, names } => self.expression(part, at, *operator, names),
        };
        if !found {
            self.values.truncate(kept);
            self.dead.insert((part, at));
        }
        found
    }

    fn expression(&mut self, part: usize, at: usize, operator: Operator, names: &[String]) -> bool {
        let (first, between) = operator.marks();
        let optional = !first.is_empty();
        let Some(start) = self.uri[at..].starts_with(first).then_some(at + first.len()) else {
            return optional && self.go(part + 1, at);
        };
        let separator =
            |byte: u8| names.len() > 1 || operator.is_named() && byte != b',' || operator == Operator::Path;
        let allowed = |byte: u8| {
            operator.allows(byte)
                || (byte == between as u8 && separator(byte))
                || (operator.is_named() && byte == b'=')
        };
        let longest = self.uri.as_bytes()[start..].iter().take_while(|byte| allowed(**byte)).count();
        // The last expression takes all that is left, or nothing.
        let shortest = if part + 1 == self.parts.len() { self.uri.len() - start } else { 1 };
        // The longest first: a variable takes all it can, as in every matcher of paths. What follows is
        // matched before the value is read, which is work for each of its characters.
        for len in (shortest.max(1)..=longest).rev() {
            let end = start + len;
            if !self.uri.is_char_boundary(end) {
                continue;
            }
            let kept = self.values.len();
            if self.go(part + 1, end) {
                let after = self.values.split_off(kept);
                if self.assign(operator, names, &self.uri[start..end]) {
                    self.values.extend(after);
                    return true;
                }
            }
            self.values.truncate(kept);
        }
        optional && self.go(part + 1, at)
    }

    /// Splits the text of one expression over its variables.
    fn assign(&mut self, operator: Operator, names: &[String], text: &str) -> bool {
        let (_, between) = operator.marks();
        if operator.is_named() {
            return text.split(between).all(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let known = names.iter().any(|known| known == name);
                let fresh = !self.values.iter().any(|(seen, _)| seen == name);
                known && fresh && self.push(name, value)
            });
        }
        if let [name] = names {
            return self.push(name, text);
        }
        let values: Vec<_> = text.split(between).collect();
        values.len() <= names.len() && names.iter().zip(values).all(|(name, value)| self.push(name, value))
    }

    fn push(&mut self, name: &str, value: &str) -> bool {
        let Some(value) = decode(value) else { return false };
        self.values.push((name.to_owned(), value));
        true
    }
}

/// Encodes a value for `{variable}`: all but unreserved characters.
pub fn part(value: &impl Display) -> String {
    encode(&value.to_string(), |_| false)
}

/// Encodes a value for `{+variable}`: reserved characters stay.
pub fn reserved_part(value: &impl Display) -> String {
    encode(&value.to_string(), |byte| Operator::Reserved.allows(byte) && byte.is_ascii() && byte != b'%')
}

/// Writes a URI in one way: equal resources get equal text (RFC 3986, section 6.2.2).
///
/// Needless percent-encoding is undone, what is no ASCII is encoded, and hexadecimal digits are upper case.
pub fn canonical(uri: &str) -> Cow<'_, str> {
    if uri.is_ascii() && !uri.contains('%') {
        return Cow::Borrowed(uri);
    }
    let mut text = String::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let [first, tail @ ..] = rest {
        match hex_pair(rest) {
            Some(byte) if is_unreserved(byte) => text.push(char::from(byte)),
            Some(byte) => text.push_str(&format!("%{byte:02X}")),
            None if first.is_ascii() => text.push(char::from(*first)),
            None => text.push_str(&format!("%{first:02X}")),
        }
        rest = if hex_pair(rest).is_some() { &rest[3..] } else { tail };
    }
    Cow::Owned(text)
}

fn encode(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) || keep(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Decodes percent-encoding; `None` where it is broken or no UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            bytes.push(hex_pair(rest)?);
            rest = &rest[3..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(template: &str, uri: &str) -> Option<String> {
        let values = Template::parse(template).unwrap().matches(uri)?;
        Some(values.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn every_operator_is_matched_in_reverse() {
        for (template, uri, expected) in [
            ("a://{x}", "a://5", Some("x=5")),
            ("a://{x}", "a://5/6", None),
            ("a://{x}", "a://", None),
            ("a://{x}/b", "a://1%2F2/b", Some("x=1/2")),
            ("a://{x,y}", "a://1,2", Some("x=1 y=2")),
            ("a://{+path}", "a://b/c?d", Some("path=b/c?d")),
            ("a://{rev}/{+path}", "a://v1/src/lib.rs", Some("rev=v1 path=src/lib.rs")),
            ("a://{+path}/end", "a://b/c/end", Some("path=b/c")),
            ("a://x{#part}", "a://x#y", Some("part=y")),
            ("a://x{#part}", "a://x", Some("")),
            ("a://x{.kind}", "a://x.txt", Some("kind=txt")),
            ("a:/{/x,y}", "a://1/2", Some("x=1 y=2")),
            ("a://h{/x,y}", "a://h/1", Some("x=1")),
            ("a://h{;x,y}", "a://h;x=1;y=2", Some("x=1 y=2")),
            ("a://h{?q,n}", "a://h?n=2&q=1", Some("n=2 q=1")),
            ("a://h{?q,n}", "a://h", Some("")),
            ("a://h{?q}", "a://h?other=1", None),
            ("a://h{?q}", "a://h?q=1&q=2", None),
            ("a://h?a=1{&q}", "a://h?a=1&q=2", Some("q=2")),
            ("a://{x}", "a://%zz", None),
            ("a://{x}", "a://%ff", None),
            ("a://{x}", "a://ü", Some("x=ü")),
        ] {
            assert_eq!(found(template, uri).as_deref(), expected, "{template} on {uri}");
        }
    }

    #[test]
    fn what_is_beyond_level_three_is_refused() {
        for text in ["{", "}", "{a", "{a{b}}", "{}", "{a*}", "{a:3}", "{=a}", "{a}{a}", "{a,}", "{a b}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn matching_stays_quick_on_hostile_uris() {
        let start = std::time::Instant::now();
        for (template, filler) in
            [("{+a}{+b}!", "/"), ("a://{x}", "a"), ("a://{x}{?q,n}", "%41"), ("{+a}?", "?")]
        {
            let uri = format!("a://{}?", filler.repeat(MAX_URI / filler.len()));
            let _ = Template::parse(template).unwrap().matches(&uri[..uri.len().min(MAX_URI)]);
        }
        // No measurement: far from the hours that trying every split would take.
        assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    }

    #[test]
    fn encoding_and_canonical_form_agree() {
        assert_eq!(part(&"a/b ü"), "a%2Fb%20%C3%BC");
        assert_eq!(reserved_part(&"a/b?c d%"), "a/b?c%20d%25");
        assert_eq!(canonical("a://%61%2f%zz%C3%bc%ü"), "a://a%2F%zz%C3%BC%%C3%BC");
    }
}
