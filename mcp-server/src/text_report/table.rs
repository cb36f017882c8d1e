//! Rows under headings: as wide as there is room for, or as Markdown.
//!
//! What fits is decided by columns: one that is wide gives way down to a least width, and then whole
//! columns are left out, the least important first. No cell is broken into lines, so that each row is one.

use super::words::{clean, cut, width};

/// What separates two columns.
const GAP: usize = 2;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    heading: &'static str,
    right: bool,
    /// The column with the lowest is left out first; `None`: it stays.
    rank: Option<u8>,
    /// Down to how many columns of the terminal it gives way.
    least: Option<usize>,
}

impl Column {
    /// A column of text, which stays.
    pub(crate) const fn text(heading: &'static str) -> Self {
        Self { heading, right: false, rank: None, least: None }
    }

    /// A column of numbers, which stays.
    pub(crate) const fn number(heading: &'static str) -> Self {
        Self { right: true, ..Self::text(heading) }
    }

    /// Sets how important it is: of two, the lower is left out first.
    pub(crate) const fn rank(mut self, rank: u8) -> Self {
        self.rank = Some(rank);
        self
    }

    /// Lets its cells be cut, down to so many columns of the terminal.
    pub(crate) const fn elastic(mut self, least: usize) -> Self {
        self.least = Some(least);
        self
    }
}

/// Rows under headings.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(columns: [Column; N], rows: impl Iterator<Item = [String; N]>) -> Self {
        let rows = rows.map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
        Self { columns: columns.to_vec(), rows }
    }

    /// Returns the lines, and the headings of what there was no room for.
    pub(crate) fn text(&self, room: Option<usize>) -> (Vec<String>, Vec<&'static str>) {
        let room = room.unwrap_or(usize::MAX);
        let widths = self.widths(room);
        let headings = self.columns.iter().map(|column| column.heading.to_owned()).collect();
        let lines = std::iter::once(&headings).chain(&self.rows).map(|row| {
            let cells = row.iter().zip(&self.columns).zip(&widths);
            let cells =
                cells.filter_map(|((cell, column), width)| Some(padded(cell, column.right, (*width)?)));
            cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
        });
        let left_out = self.columns.iter().zip(&widths).filter(|(_, width)| width.is_none());
        (lines.collect(), left_out.map(|(column, _)| column.heading).collect())
    }

    /// Returns how wide each column is; `None`: it is left out.
    fn widths(&self, room: usize) -> Vec<Option<usize>> {
        let natural = |index: usize, column: &Column| {
            let cells = self.rows.iter().filter_map(|row| row.get(index)).map(|cell| width(cell));
            cells.chain([width(column.heading)]).max()
        };
        let mut widths: Vec<_> =
            self.columns.iter().enumerate().map(|(index, column)| natural(index, column)).collect();
        let needed = |widths: &[Option<usize>]| {
            let shown = widths.iter().zip(&self.columns);
            let least =
                shown.filter_map(|(width, column)| Some((*width)?.min(column.least.unwrap_or(usize::MAX))));
            least.map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
        };
        while needed(&widths) > room {
            let shown = self.columns.iter().enumerate().filter(|(index, _)| widths[*index].is_some());
            let ranked = shown.filter_map(|(index, column)| Some((column.rank?, index)));
            let Some((_, least)) = ranked.min() else { break };
            widths[least] = None;
        }
        // What is over, or still missing, is the elastic column's.
        if let Some(elastic) = self.columns.iter().position(|column| column.least.is_some()) {
            let others: usize = widths.iter().flatten().map(|width| width + GAP).sum::<usize>() - GAP;
            let others = others - widths[elastic].unwrap_or(0);
            widths[elastic] = widths[elastic].map(|width| width.min(room.saturating_sub(others)).max(4));
        }
        widths
    }

    /// Returns the lines of a table in GitHub's Markdown.
    pub(crate) fn markdown(&self) -> Vec<String> {
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let headings = self.columns.iter().map(|column| escaped(column.heading)).collect();
        let rule = self.columns.iter().map(|column| if column.right { "---:" } else { ":---" }.to_owned());
        let rows = self.rows.iter().map(|row| line(row.iter().map(|cell| escaped(cell)).collect()));
        [line(headings), line(rule.collect())].into_iter().chain(rows).collect()
    }
}

fn padded(cell: &str, right: bool, most: usize) -> String {
    let cell = cut(cell, most);
    let padding = " ".repeat(most.saturating_sub(width(&cell)));
    if right { padding + &cell } else { cell + &padding }
}

/// Returns a text that Markdown shows as it is, but for what stands between backticks.
pub(super) fn escaped(text: &str) -> String {
    let pairs = text.matches('`').count().is_multiple_of(2);
    let mut code = false;
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '`' if pairs => code = !code,
            // A cell would end there, in code as well.
            '|' => escaped.push('\\'),
            '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#' | '~' | '&' if !code => escaped.push('\\'),
            _ => {}
        }
        escaped.push(char);
    }
    escaped
}
