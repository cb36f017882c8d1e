//! Words, names in quotes, signs, and everything else as `?`.

use super::cursor::{Cursor, Ended, is_part, is_start};

/// What stays of a piece of the text.
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    /// Whether space or a comment was before it.
    pub(super) spaced: bool,
}

impl Token<'_> {
    pub(super) fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

/// Cuts a statement's text into tokens; ends where what follows may be part of a literal.
pub(super) struct Lexer<'a> {
    cursor: Cursor<'a>,
    /// Whether the last token was a value or a name: a minus or a dot after it is no part of a number.
    operand: bool,
    awaited: Awaited,
}

/// Whether a value comes next: there, text in double quotes is one to SQLite and MySQL.
#[derive(Clone, Copy, PartialEq)]
enum Awaited {
    Nothing,
    Value,
    /// Values, up to the next word.
    List,
}

/// What a token is.
#[derive(PartialEq)]
enum Kind {
    /// It becomes `?`.
    Literal,
    /// As [`Self::Literal`]; what follows may be part of it.
    Open,
    Name,
    Sign,
}

const LITERAL: &str = "?";

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { cursor: Cursor::new(text), operand: false, awaited: Awaited::Nothing }
    }

    /// Skips a token; `None` where a name in quotes is not closed.
    fn token(&mut self, first: char, spaced: bool) -> Option<Kind> {
        let cursor = &mut self.cursor;
        let second = cursor.peek(1);
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let adjoins = self.operand && !spaced;
        Some(match first {
            '\'' => cursor.string(false).into(),
            'e' | 'E' | 'x' | 'X' | 'b' | 'B' | 'n' | 'N' if second == Some('\'') => {
                cursor.at += 1;
                cursor.string(matches!(first, 'e' | 'E')).into()
            }
            '"' => {
                let begin = cursor.at;
                cursor.quoted(first)?;
                let is_name = self.awaited == Awaited::Nothing && is_plain(cursor.since(begin));
                if is_name { Kind::Name } else { Kind::Literal }
            }
            '`' => {
                cursor.quoted(first)?;
                Kind::Name
            }
            // What adjoins a name is an index into an array.
            '[' if !adjoins && cursor.bracketed() => Kind::Name,
            '0'..='9' => {
                cursor.number();
                Kind::Literal
            }
            '.' if digit(second) && !self.operand => {
                cursor.number();
                Kind::Literal
            }
            '-' | '+'
                if !self.operand && (digit(second) || (second == Some('.') && digit(cursor.peek(2)))) =>
            {
                cursor.at += 1;
                cursor.number();
                Kind::Literal
            }
            '?' => {
                cursor.at += 1;
                cursor.skip_while(|c| c.is_ascii_digit());
                Kind::Literal
            }
            '@' if second == Some('@') => {
                cursor.at += 2;
                cursor.skip_while(is_part);
                Kind::Name
            }
            '@' | ':' if second.is_some_and(is_part) && !(digit(second) && adjoins) => {
                cursor.at += 1;
                cursor.skip_while(is_part);
                Kind::Literal
            }
            '$' => cursor.dollar().map_or(Kind::Sign, Kind::from),
            ':' | '.' if second == Some(first) => {
                cursor.at += 2;
                Kind::Sign
            }
            '#' if cursor.is_hash_operator() => {
                cursor.at += 2;
                Kind::Sign
            }
            c if is_start(c) => {
                cursor.word();
                Kind::Name
            }
            c => {
                cursor.at += c.len_utf8();
                if matches!(c, ')' | ']') { Kind::Name } else { Kind::Sign }
            }
        })
    }
}

impl From<Ended> for Kind {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Here => Self::Literal,
            Ended::Never => Self::Open,
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let before = self.cursor.at;
        if self.cursor.space().is_none() {
            self.cursor.skip_all();
            return None;
        }
        let begin = self.cursor.at;
        let spaced = begin > before;
        let first = self.cursor.peek(0)?;
        let Some(kind) = self.token(first, spaced) else {
            self.cursor.skip_all();
            return None;
        };
        let text =
            if matches!(kind, Kind::Literal | Kind::Open) { LITERAL } else { self.cursor.since(begin) };
        if kind == Kind::Open {
            self.cursor.skip_all();
        }
        self.operand = kind != Kind::Sign;
        self.awaited = self.awaited.after(text);
        Some(Token { text, spaced })
    }
}

impl Awaited {
    fn after(self, text: &str) -> Self {
        let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is_one_of(&["=", "<", ">", "~", "like", "ilike", "glob", "match", "regexp"]) {
            Self::Value
        } else if is_one_of(&["in", "values"]) || (self == Self::List && !text.starts_with(is_start)) {
            Self::List
        } else {
            Self::Nothing
        }
    }
}

/// Returns whether text in double quotes is a name that needs none.
fn is_plain(quoted: &str) -> bool {
    let name = quoted.trim_matches('"');
    name.starts_with(is_start) && name.chars().all(is_part)
}
