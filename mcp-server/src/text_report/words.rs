//! Text that comes from elsewhere, made fit for a terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Returns a text without what a terminal acts on; white space becomes single spaces.
pub(crate) fn clean(text: &str) -> String {
    let acts =
        |char: char| char.is_control() || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown: String = text.chars().map(|char| if acts(char) { ' ' } else { char }).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns how many columns of a terminal a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Returns a text in at most so many columns, with `…` where something is left off.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut short = fitting(text, most.saturating_sub(1)).to_owned();
    short.push('…');
    short
}

/// Returns a text in lines of at most so many columns; all but the first begin with an indent.
pub(super) fn wrapped(text: &str, most: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for mut word in text.split(' ') {
        let fits = width(&line) + 1 + width(word) <= most;
        if !line.trim_start().is_empty() && !fits {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
        } else if !line.trim_start().is_empty() {
            line.push(' ');
        }
        // A path may be longer than a line.
        while width(&line) + width(word) > most {
            let part = fitting(word, most.saturating_sub(width(&line)));
            if part.is_empty() {
                break;
            }
            lines.push(format!("{line}{part}"));
            line = " ".repeat(indent);
            word = &word[part.len()..];
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Returns the longest beginning of a text that takes at most so many columns.
fn fitting(text: &str, most: usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find_map(|(index, char)| {
        taken += char.width().unwrap_or(0);
        (taken > most).then_some(index)
    });
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_comes_through() {
        assert_eq!(clean("a\u{1b}[31mb\r\n\tc\u{202e}d\u{9b}e"), "a [31mb c d e");
        assert_eq!((cut("übergröße", 6), cut("検索ツール", 5)), ("überg…".to_owned(), "検索…".to_owned()));
    }

    #[test]
    fn no_line_is_too_long_and_nothing_is_lost() {
        let text = "a sentence, src/a/very/long/path/that/has/no/place/to/break.rs:12, 検索検索検索検索検索検索 and an end";
        for most in 12..100 {
            let lines = wrapped(text, most, 4);
            assert!(lines.iter().all(|line| width(line) <= most), "{most}: {lines:#?}");
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(letters(&lines.join(" ")), letters(text), "{most}");
        }
    }
}
