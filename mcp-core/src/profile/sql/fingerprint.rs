//! The text of a statement without its literals: what equal statements have in common.

mod cursor;
mod lexer;
mod lists;

use lexer::{Lexer, Token};
use lists::Lists;

/// The longest fingerprint in bytes; what was cut ends with `..`.
pub(super) const LONGEST: usize = 2048;
/// How much is looked at before a text is cut: lists within it are still shortened.
const WORK: usize = 4 * LONGEST;
const CUT: &str = "..";

/// Returns a statement's text without literals, comments and needless space.
///
/// Literals and placeholders become `?`, lists of them one `?`, and rows after the first of `VALUES`
/// go. Where a quote is not closed, or closed only in some dialects (`'\'`), the rest goes: what may
/// be part of a literal never stays. A hash begins a comment, as in MySQL, unless it is `#>` or `#-`.
/// Text in double quotes is a name, as in standard SQL; where it is none, or a value is awaited, it goes too,
/// for to SQLite and MySQL it is one there.
///
/// # Examples
///
/// ```
/// use mcp_core::profile::sql::fingerprint;
///
/// let text = "SELECT name FROM users WHERE id IN (1, 2, 3) -- the three";
/// assert_eq!(fingerprint(text), "SELECT name FROM users WHERE id IN (?)");
/// ```
pub fn fingerprint(text: &str) -> String {
    let mut out = Out::default();
    let mut lists = Lists::new();
    for token in Lexer::new(text) {
        if out.text.len() > WORK {
            break;
        }
        lists.before(&token, &mut out);
        out.push(&token);
        lists.after(&token, &mut out);
    }
    out.finish()
}

/// The fingerprint so far.
#[derive(Default)]
struct Out {
    text: String,
    /// Where the text may be cut.
    boundary: usize,
}

impl Out {
    fn push(&mut self, token: &Token<'_>) {
        let is_inner = self.text.ends_with('(') || matches!(token.text, "," | ")");
        if token.spaced && !is_inner && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(token.text);
        self.mark();
    }

    fn truncate(&mut self, to: usize) {
        self.text.truncate(to);
        self.boundary = self.boundary.min(to);
        self.mark();
    }

    fn mark(&mut self) {
        if self.text.len() <= LONGEST - CUT.len() {
            self.boundary = self.text.len();
        }
    }

    fn finish(mut self) -> String {
        if self.text.len() > LONGEST {
            self.text.truncate(self.boundary);
            self.text.push_str(CUT);
        }
        self.text
    }
}

#[cfg(test)]
mod tests;
