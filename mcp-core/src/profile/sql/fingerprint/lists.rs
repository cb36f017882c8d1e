//! Lists of `IN` and rows of `VALUES`: however long they are, the statement is the same.

use super::Out;
use super::lexer::Token;

/// The open parentheses, the innermost last; the first level is the statement itself.
pub(super) struct Lists(Vec<Level>);

#[derive(Default)]
struct Level {
    kind: Kind,
    /// What the last token lets the next parenthesis be.
    next: Kind,
    /// Where the last row ended, from its `)` to the `(` of the next.
    row: Option<usize>,
}

#[derive(Default)]
enum Kind {
    #[default]
    Other,
    /// In `IN (..)`, unless that is a query.
    In(List),
    /// A row of `VALUES`.
    Row,
}

#[derive(Default)]
struct List {
    begun: bool,
    /// Where the item begins.
    item: usize,
    /// Where the item before it begins and ends.
    before: Option<(usize, usize)>,
}

impl Lists {
    pub(super) fn new() -> Self {
        Self(vec![Level::default()])
    }

    /// Takes back an item of a list that equals the one before it.
    pub(super) fn before(&mut self, token: &Token<'_>, out: &mut Out) {
        let Some(Level { kind: Kind::In(list), .. }) = self.0.last_mut() else { return };
        if !matches!(token.text, "," | ")") {
            return;
        }
        let item = out.text.get(list.item..).unwrap_or_default().trim();
        match list.before {
            Some((begin, end)) if out.text.get(begin..end).is_some_and(|before| before.trim() == item) => {
                out.truncate(end);
            }
            _ => list.before = Some((list.item, out.text.len())),
        }
    }

    /// Follows what was written, and takes back a row that is not the first.
    pub(super) fn after(&mut self, token: &Token<'_>, out: &mut Out) {
        let end = out.text.len();
        let outermost = self.0.len() == 1;
        let Some(level) = self.0.last_mut() else { return };
        let next = std::mem::take(&mut level.next);
        if let Kind::In(list) = &mut level.kind {
            let is_query = ["select", "values", "with"].iter().any(|word| token.is(word));
            if !list.begun && is_query {
                level.kind = Kind::Other;
            } else {
                list.begun = true;
            }
        }
        match token.text {
            "(" => {
                let kind = match next {
                    Kind::In(_) => Kind::In(List { item: end, ..List::default() }),
                    other => other,
                };
                self.0.push(Level { kind, ..Level::default() });
            }
            ")" if !outermost => {
                let closed = self.0.pop();
                if let (Some(Level { kind: Kind::Row, .. }), Some(level)) = (closed, self.0.last_mut()) {
                    let row = *level.row.get_or_insert(end);
                    out.truncate(row);
                }
            }
            "," => {
                if level.row == Some(end - token.text.len()) {
                    level.next = Kind::Row;
                }
                if let Kind::In(list) = &mut level.kind {
                    list.item = end;
                }
            }
            _ => {
                level.row = None;
                level.next = match () {
                    () if token.is("in") => Kind::In(List::default()),
                    () if token.is("values") && !matches!(level.kind, Kind::In(_)) => Kind::Row,
                    () => Kind::Other,
                };
            }
        }
    }
}
