//! Words, names in quotes, signs, and everything else as `?`.

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
    text: &'a str,
    at: usize,
    /// Whether the last token was a value or a name: a minus or a dot after it is no part of a number.
    operand: bool,
    /// Where the last token ended.
    end: usize,
}

const LITERAL: &str = "?";

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, operand: false, end: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest().chars().nth(ahead)
    }

    fn skip_while(&mut self, mut is_so: impl FnMut(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !is_so(c)).unwrap_or(rest.len());
    }

    /// Skips what comes after a mark, and the mark; `None` where there is no such mark.
    fn skip_past(&mut self, mark: &str) -> Option<()> {
        self.at += self.rest().find(mark)? + mark.len();
        Some(())
    }

    fn space(&mut self) -> Option<()> {
        loop {
            self.skip_while(|c| c.is_whitespace() || c.is_control());
            if self.rest().starts_with("--") {
                self.skip_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                self.comment()?;
            } else {
                return Some(());
            }
        }
    }

    fn comment(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            let next = rest.find(['/', '*'])?;
            self.at += next;
            if self.rest().starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Some(());
                }
            } else {
                self.at += 1;
            }
        }
    }

    /// Skips a string from its quote on; `escapes` tells whether a backslash is one for certain.
    fn string(&mut self, escapes: bool) -> Ended {
        self.at += 1;
        loop {
            let Some(next) = self.rest().find(['\'', '\\']) else { return Ended::Never };
            self.at += next;
            let pair = self.rest().chars().nth(1);
            if self.rest().starts_with('\\') {
                if !escapes && pair == Some('\'') {
                    return Ended::Never; // closed in standard SQL, open in MySQL
                }
                self.at += 1 + if escapes { pair.map_or(0, char::len_utf8) } else { 0 };
            } else if pair == Some('\'') {
                self.at += 2;
            } else {
                self.at += 1;
                return Ended::Here;
            }
        }
    }

    /// Skips a name in quotes, in which the quote doubled stands for itself.
    fn quoted(&mut self, quote: char) -> Option<()> {
        self.at += 1;
        loop {
            self.at += self.rest().find(quote)? + 1;
            if !self.rest().starts_with(quote) {
                return Some(());
            }
            self.at += 1;
        }
    }

    /// Skips a number: `1`, `1.5`, `.5`, `1e-5`, `0xff`, `1_000`, and whatever hangs on it.
    fn number(&mut self) {
        let mut last = ' ';
        loop {
            let (now, next) = (self.peek(0), self.peek(1));
            match now {
                Some(c) if is_part(c) => last = c,
                Some('.') if next != Some('.') => last = '.',
                Some('+' | '-') if matches!(last, 'e' | 'E') && next.is_some_and(|c| c.is_ascii_digit()) => {
                    last = '-';
                }
                _ => return,
            }
            self.at += now.map_or(0, char::len_utf8);
        }
    }

    /// Skips a word; a dollar is part of it unless a second one makes it a quote.
    fn word(&mut self) {
        let begin = self.at;
        self.skip_while(|c| is_part(c) || c == '$');
        let word = self.text.get(begin..self.at).unwrap_or_default();
        if word.matches('$').count() > 1 {
            self.at = begin + word.find('$').unwrap_or(word.len());
        }
    }

    /// Skips `$1`, `$name` or `$tag$ .. $tag$`.
    fn dollar(&mut self) -> Option<Ended> {
        let begin = self.at;
        self.at += 1;
        self.skip_while(is_part);
        if self.peek(0) != Some('$') {
            return (self.at > begin + 1).then_some(Ended::Here);
        }
        self.at += 1;
        let tag = self.text.get(begin..self.at).unwrap_or_default();
        Some(if self.skip_past(tag).is_some() { Ended::Here } else { Ended::Never })
    }

    /// Skips `[name]`, which an index into an array or a list of values is not.
    fn bracketed(&mut self) -> bool {
        if self.operand && self.end == self.at {
            return false;
        }
        let Some(inner) = self.rest().split_once(']').map(|(name, _)| name.get(1..).unwrap_or_default())
        else {
            return false;
        };
        let is_name = inner.starts_with(is_start) && inner.chars().all(|c| is_part(c) || c == ' ');
        if is_name {
            self.at += inner.len() + 2;
        }
        is_name
    }
}

enum Ended {
    Here,
    Never,
}

fn is_start(c: char) -> bool {
    c == '_' || c.is_alphabetic() || (!c.is_ascii() && !c.is_whitespace() && !c.is_control())
}

fn is_part(c: char) -> bool {
    c.is_ascii_digit() || is_start(c)
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let before = self.at;
        if self.space().is_none() {
            self.at = self.text.len();
            return None;
        }
        let (begin, spaced) = (self.at, self.at > before);
        let first = self.peek(0)?;
        let second = self.peek(1);
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let part = |c: Option<char>| c.is_some_and(is_part);
        let mut ended = Ended::Here;
        let mut is_literal = true;
        let mut operand = true;
        match first {
            '\'' => ended = self.string(false),
            'e' | 'E' | 'x' | 'X' | 'b' | 'B' | 'n' | 'N' if second == Some('\'') => {
                self.at += 1;
                ended = self.string(matches!(first, 'e' | 'E'));
            }
            '"' | '`' => {
                is_literal = false;
                if self.quoted(first).is_none() {
                    self.at = self.text.len();
                    return None;
                }
            }
            '[' if self.bracketed() => is_literal = false,
            '0'..='9' => self.number(),
            '.' if digit(second) && !self.operand => self.number(),
            '-' | '+' if !self.operand && (digit(second) || (second == Some('.') && digit(self.peek(2)))) => {
                self.at += 1;
                self.number();
            }
            '?' => {
                self.at += 1;
                self.skip_while(|c| c.is_ascii_digit());
            }
            '@' if second == Some('@') => {
                is_literal = false;
                self.at += 2;
                self.skip_while(is_part);
            }
            ':' if second == Some(':') => {
                (is_literal, operand) = (false, false);
                self.at += 2;
            }
            '@' | ':' if part(second) => {
                self.at += 1;
                self.skip_while(is_part);
            }
            '$' => match self.dollar() {
                Some(how) => ended = how,
                None => is_literal = false,
            },
            '.' if second == Some('.') => {
                (is_literal, operand) = (false, false);
                self.at += 2;
            }
            c if is_start(c) => {
                is_literal = false;
                self.word();
            }
            c => {
                (is_literal, operand) = (false, matches!(c, ')' | ']'));
                self.at += c.len_utf8();
            }
        }
        let text = if is_literal { LITERAL } else { self.text.get(begin..self.at).unwrap_or_default() };
        if matches!(ended, Ended::Never) {
            self.at = self.text.len();
        }
        self.operand = operand;
        self.end = self.at;
        Some(Token { text, spaced })
    }
}
