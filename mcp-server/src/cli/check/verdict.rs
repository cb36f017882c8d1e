//! What is said of one thing that was looked at.

use serde::Serialize;

/// What was found of one thing, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Verdict {
    pub(super) group: Group,
    pub(super) name: &'static str,
    pub(super) state: State,
    pub(super) found: String,
    /// What to type; of what is wrong alone.
    pub(super) fix: Option<String>,
}

/// Whether it is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Pass,
    Warn,
    Fail,
    /// There was nothing to look at.
    Skip,
}

impl State {
    /// Returns the word that a line begins with, of four letters each.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
            Self::Skip => "SKIP",
        }
    }
}

/// What a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Group {
    Build,
    Settings,
    Security,
    Cache,
    Profiler,
    Components,
    #[serde(rename = "running server")]
    Running,
}

impl Group {
    pub(super) const ALL: [Self; 7] = [
        Self::Build,
        Self::Settings,
        Self::Security,
        Self::Cache,
        Self::Profiler,
        Self::Components,
        Self::Running,
    ];

    /// Returns the heading of the group.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Settings => "settings",
            Self::Security => "security",
            Self::Cache => "cache",
            Self::Profiler => "profiler",
            Self::Components => "components",
            Self::Running => "running server",
        }
    }

    pub(super) fn pass(self, name: &'static str, found: impl Into<String>) -> Verdict {
        Verdict { group: self, name, state: State::Pass, found: found.into(), fix: None }
    }

    pub(super) fn skip(self, name: &'static str, found: impl Into<String>) -> Verdict {
        Verdict { state: State::Skip, ..self.pass(name, found) }
    }

    pub(super) fn warn(
        self,
        name: &'static str,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Verdict {
        Verdict { state: State::Warn, fix: Some(fix.into()), ..self.pass(name, found) }
    }

    pub(super) fn fail(
        self,
        name: &'static str,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Verdict {
        Verdict { state: State::Fail, ..self.warn(name, found, fix) }
    }

    /// Fails with a message of the server's own, which says what is wrong and then what to write.
    pub(super) fn mistake(self, name: &'static str, message: &str) -> Verdict {
        let is_fix = |rest: &str| VERBS.iter().any(|verb| rest.starts_with(verb));
        let mut ends =
            message.match_indices([':', ';']).map(|(end, _)| (end, message[end + 1..].trim_start()));
        match ends.find(|(_, rest)| is_fix(rest)) {
            Some((end, fix)) => self.fail(name, &message[..end], fix),
            None => self.fail(name, message, "change what it names, and `check` again"),
        }
    }
}

/// What the second half of a message begins with.
const VERBS: [&str; 7] = ["add ", "change ", "give ", "remove ", "set ", "wrap ", "write "];

/// Returns the first names of some, and how many more there are.
pub(super) fn first<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;

    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<_> = names.take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_what_is_wrong_and_then_what_to_write() {
        let both = |message: &str| {
            let verdict = Group::Settings.mistake("start", message);
            (verdict.found, verdict.fix.unwrap())
        };
        let pair = |found: &str, fix: &str| (found.to_owned(), fix.to_owned());
        assert_eq!(
            both("`cache_encrypt` needs a secret: set `MCP_CACHE_SECRET`"),
            pair("`cache_encrypt` needs a secret", "set `MCP_CACHE_SECRET`")
        );
        assert_eq!(
            both("two tools are named `x`: a.rs:1 and b.rs:2; give one of them `name = \"..\"`"),
            pair("two tools are named `x`: a.rs:1 and b.rs:2", "give one of them `name = \"..\"`")
        );
        let whole = "providers need each other in a circle: `a` -> `a`";
        assert_eq!(both(whole), pair(whole, "change what it names, and `check` again"));
    }

    #[test]
    fn of_many_names_the_first_are_shown() {
        assert_eq!(first(["a", "b"].into_iter()), "`a`, `b`");
        assert_eq!(first(["a", "b", "c", "d", "e"].into_iter()), "`a`, `b`, `c` and 2 more");
    }
}
