//! What stdout is shown on: how wide and how high it is, and whether it knows bold type.

use std::io::IsTerminal as _;

use crate::text_report::Look;

/// What stdout is shown on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) look: Look,
    /// The rows of a terminal; `None`: it is none.
    pub(crate) rows: Option<usize>,
}

impl Page {
    /// Looks at stdout; a terminal may have another size every time.
    pub(crate) fn of_stdout() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let is_terminal = std::io::stdout().is_terminal();
        let size = terminal_size::terminal_size().filter(|_| is_terminal);
        Self::new(is_terminal, size.map(|(width, height)| (width.0, height.0)), variable)
    }

    fn new(is_terminal: bool, size: Option<(u16, u16)>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name: &str| variable(name)?.parse().ok().filter(|number: &usize| *number > 0);
        let width = number("COLUMNS").or(size.map(|(width, _)| width.into())).or(is_terminal.then_some(80));
        let rows = is_terminal.then(|| size.map_or(24, |(_, height)| height.into()));
        // https://no-color.org: set and not empty.
        let bold = is_terminal
            && variable("NO_COLOR").is_none()
            && variable("TERM").is_none_or(|terminal| terminal != "dumb");
        Self { look: Look { width, bold }, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_that_wants_it_gets_bold_type() {
        let page = |is_terminal, size, variables: &[(&str, &str)]| {
            let page = Page::new(is_terminal, size, |name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            });
            (page.look.width, page.look.bold, page.rows)
        };
        let size = Some((100, 30));
        assert_eq!(page(true, size, &[("TERM", "xterm")]), (Some(100), true, Some(30)));
        assert_eq!(page(true, size, &[("NO_COLOR", "1")]), (Some(100), false, Some(30)));
        assert_eq!(page(true, None, &[("TERM", "dumb")]), (Some(80), false, Some(24)));
        assert_eq!(page(true, size, &[("COLUMNS", "60")]), (Some(60), true, Some(30)));
        assert_eq!(page(false, None, &[("COLUMNS", "60")]), (Some(60), false, None));
        assert_eq!(page(false, None, &[("COLUMNS", "wide")]), (None, false, None));
    }
}
