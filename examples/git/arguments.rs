//! What callers name: revisions and paths. A value that has one of these types has been checked.

use std::fmt;

use mcp_server::prelude::*;

/// The tag of results that hang on a name, whose meaning may change.
pub(crate) const MOVES: &str = "head";

/// A revision: `HEAD`, `main~2`, a tag, or the id of a commit.
#[schema]
#[derive(PartialEq)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline)]
pub(crate) struct Revision(String);

impl Revision {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it is the whole id of an object, which is the same object for ever.
    fn is_id(&self) -> bool {
        self.0.len() == 40 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// Returns whether it means the same until a name moves: `main@{yesterday}` does not.
    pub(crate) fn keeps(&self) -> bool {
        !self.0.contains("@{")
    }
}

impl Default for Revision {
    fn default() -> Self {
        Self("HEAD".to_owned())
    }
}

/// Writes what a result about this revision hangs on, for its tag: the id alone, or all names.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_id() { &self.0 } else { MOVES })
    }
}

impl TryFrom<String> for Revision {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // Git reads what starts with a dash as an option. `--end-of-options` says so to git as well.
        if text.is_empty() || text.starts_with('-') || text.len() > 256 || text.contains(char::is_control) {
            return Err(format!(
                "`{text}` is no revision: write `HEAD`, a branch, a tag or the id of a commit"
            ));
        }
        Ok(Self(text))
    }
}

impl From<Revision> for String {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

/// A path from the root of the repository.
#[schema]
#[serde(try_from = "String", into = "String")]
#[schemars(inline)]
pub(crate) struct RepoPath(String);

impl RepoPath {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RepoPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let leaves = text.starts_with('/') || text.split('/').any(|part| part == "..");
        if text.is_empty() || leaves || text.len() > 4096 || text.contains('\0') {
            return Err(format!(
                "`{text}` is no path in the repository: write one from its root, such as `src/main.rs`"
            ));
        }
        Ok(Self(text))
    }
}

impl From<RepoPath> for String {
    fn from(path: RepoPath) -> Self {
        path.0
    }
}
