//! What a report says, before it is known how wide the page is.

use super::table::{Table, escaped};
use super::words::{clean, wrapped};

/// How a document is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// How many columns the page has; `None`: as many as are needed.
    pub(crate) width: Option<usize>,
    /// Whether headings are bold, by the escape sequences of a terminal.
    pub(crate) bold: bool,
}

/// How far in a line is that belongs to the one above.
const BELOW: usize = 5;

/// Headings, lines and tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document(Vec<Block>);

#[derive(Clone, Debug)]
enum Block {
    Heading(String),
    Line(String),
    Item(String),
    Below(String),
    Table(Table),
}

impl Document {
    pub(crate) fn heading(&mut self, text: impl AsRef<str>) {
        self.0.push(Block::Heading(clean(text.as_ref())));
    }

    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.0.push(Block::Line(clean(text.as_ref())));
    }

    pub(crate) fn item(&mut self, text: impl AsRef<str>) {
        self.0.push(Block::Item(clean(text.as_ref())));
    }

    /// Adds what belongs to the line above, as far in as its second word.
    pub(crate) fn below(&mut self, text: impl AsRef<str>) {
        self.0.push(Block::Below(clean(text.as_ref())));
    }

    pub(crate) fn table(&mut self, table: Table) {
        self.0.push(Block::Table(table));
    }

    /// Adds what another says.
    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Returns the text; each line ends with a new line.
    pub(crate) fn text(&self, look: Look) -> String {
        // With less there is no table.
        let room = look.width.map(|width| width.max(40));
        let most = room.unwrap_or(usize::MAX);
        let mut lines = Vec::new();
        for block in &self.0 {
            match block {
                Block::Heading(text) => {
                    if !lines.is_empty() {
                        lines.push(String::new());
                    }
                    let bold = |line: String| if look.bold { format!("\x1b[1m{line}\x1b[0m") } else { line };
                    lines.extend(wrapped(text, most, 2).into_iter().map(bold));
                }
                Block::Line(text) => lines.extend(wrapped(text, most, 2)),
                Block::Item(text) => lines.extend(wrapped(&format!("- {text}"), most, 2)),
                Block::Below(text) => {
                    let below = wrapped(text, most.saturating_sub(BELOW), 0);
                    lines.extend(below.into_iter().map(|line| format!("{:BELOW$}{line}", "")));
                }
                Block::Table(table) => {
                    let (rows, left_out) = table.text(room);
                    lines.extend(rows);
                    if !left_out.is_empty() {
                        let note = format!("not shown in {most} columns: {}", left_out.join(", "));
                        lines.extend(wrapped(&note, most, 2));
                    }
                }
            }
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Returns the text as GitHub's Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let mut before = None;
        for block in &self.0 {
            // Items are one list; all else are paragraphs of their own.
            let listed = matches!(block, Block::Item(_));
            if before.is_some_and(|before| !(before && listed)) {
                text.push('\n');
            }
            before = Some(listed);
            match block {
                Block::Heading(heading) => text += &format!("### {}\n", escaped(heading)),
                Block::Line(line) => text += &format!("{}\n", escaped(line)),
                Block::Item(item) => text += &format!("- {}\n", escaped(item)),
                Block::Below(line) => text += &format!("{}\n", escaped(line)),
                Block::Table(table) => text.extend(table.markdown().iter().map(|line| format!("{line}\n"))),
            }
        }
        text
    }
}
