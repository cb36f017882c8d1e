//! Where the lexer stands, and how it passes whole pieces of SQL.

/// A place in a statement's text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    pub(super) at: usize,
}

/// How a literal ends.
pub(super) enum Ended {
    Here,
    /// Nowhere, or only in some dialects: the rest of the text may be part of it.
    Never,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the text from a place to here.
    pub(super) fn since(&self, begin: usize) -> &'a str {
        self.text.get(begin..self.at).unwrap_or_default()
    }

    pub(super) fn skip_all(&mut self) {
        self.at = self.text.len();
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        self.rest().chars().nth(ahead)
    }

    pub(super) fn skip_while(&mut self, mut is_so: impl FnMut(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !is_so(c)).unwrap_or(rest.len());
    }

    /// Skips what comes after a mark, and the mark; `None` where there is no such mark.
    fn skip_past(&mut self, mark: &str) -> Option<()> {
        self.at += self.rest().find(mark)? + mark.len();
        Some(())
    }

    /// Skips space and comments; `None` where a comment is not closed.
    pub(super) fn space(&mut self) -> Option<()> {
        loop {
            self.skip_while(|c| c.is_whitespace() || c.is_control());
            if self.rest().starts_with("--") || (self.peek(0) == Some('#') && !self.is_hash_operator()) {
                self.skip_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                self.comment()?;
            } else {
                return Some(());
            }
        }
    }

    /// Whether this is `#>` or `#-` of Postgres; any other hash begins a comment in MySQL.
    pub(super) fn is_hash_operator(&self) -> bool {
        let rest = self.rest();
        rest.starts_with("#>") || (rest.starts_with("#-") && !rest.starts_with("#--"))
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
    pub(super) fn string(&mut self, escapes: bool) -> Ended {
        self.at += 1;
        loop {
            let Some(next) = self.rest().find(['\'', '\\']) else { return Ended::Never };
            self.at += next;
            let pair = self.rest().chars().nth(1);
            if self.rest().starts_with('\\') {
                if !escapes && pair == Some('\'') {
                    return Ended::Never; // closed here in standard SQL, not in MySQL
                }
                self.at += 1 + pair.map_or(0, char::len_utf8);
            } else if pair == Some('\'') {
                self.at += 2;
            } else {
                self.at += 1;
                return Ended::Here;
            }
        }
    }

    /// Skips a name in quotes, in which the quote doubled stands for itself.
    pub(super) fn quoted(&mut self, quote: char) -> Option<()> {
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
    pub(super) fn number(&mut self) {
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
    pub(super) fn word(&mut self) {
        let begin = self.at;
        self.skip_while(|c| is_part(c) || c == '$');
        let word = self.since(begin);
        if word.matches('$').count() > 1 {
            self.at = begin + word.find('$').unwrap_or(word.len());
        }
    }

    /// Skips `$1`, `$name` or `$tag$ .. $tag$`.
    pub(super) fn dollar(&mut self) -> Option<Ended> {
        let begin = self.at;
        self.at += 1;
        self.skip_while(is_part);
        if self.peek(0) != Some('$') {
            return (self.at > begin + 1).then_some(Ended::Here);
        }
        self.at += 1;
        let tag = self.since(begin);
        Some(if self.skip_past(tag).is_some() { Ended::Here } else { Ended::Never })
    }

    /// Skips `[name]`; a list of values is none.
    pub(super) fn bracketed(&mut self) -> bool {
        let inner = self.rest().get(1..).unwrap_or_default();
        let end = inner.find(|c| !is_part(c) && c != ' ').unwrap_or(inner.len());
        let is_name =
            inner.starts_with(is_start) && inner.get(end..).is_some_and(|rest| rest.starts_with(']'));
        if is_name {
            self.at += end + 2;
        }
        is_name
    }
}

pub(super) fn is_start(c: char) -> bool {
    c == '_' || c.is_alphabetic() || (!c.is_ascii() && !c.is_whitespace() && !c.is_control())
}

pub(super) fn is_part(c: char) -> bool {
    c.is_ascii_digit() || is_start(c)
}
