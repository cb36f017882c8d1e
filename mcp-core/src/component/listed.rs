//! The small functions beside a component: what they are given and what they return.

use super::call::BoxFuture;
use crate::error::ToolError;
use crate::invocation::Invocation;

/// Enumerates the instances of a resource template.
pub type ListFn = fn(Invocation) -> BoxFuture<'static, Result<Vec<Listed>, ToolError>>;

/// Suggests values of one argument: what is typed so far, and the arguments already chosen.
pub type CompleteFn = fn(Completing, Invocation) -> BoxFuture<'static, Result<Vec<String>, ToolError>>;

/// What a completion function is given.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Completing {
    /// What is typed so far.
    pub value: String,
    /// The other arguments that the user has already chosen.
    pub chosen: Vec<(String, String)>,
}

impl Completing {
    /// Creates the question of a client that has typed `value` after choosing `chosen`.
    pub fn new(value: String, chosen: Vec<(String, String)>) -> Self {
        Self { value, chosen }
    }
}

/// One instance of a resource template, as `list = path` enumerates it.
///
/// # Examples
///
/// ```
/// use mcp_core::Listed;
///
/// let all: Vec<Listed> = vec![
///     Listed::new("product://7", "hammer"),
///     Listed::new("product://8", "nails").title("A box of nails").size(1200),
/// ];
/// assert_eq!(all[1].uri, "product://8");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Listed {
    /// The URI.
    pub uri: String,
    /// The name.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// The size of the content in bytes.
    pub size: Option<u64>,
}

impl Listed {
    /// Creates an instance with its URI and its name.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self { uri: uri.into(), name: name.into(), title: None, description: None, size: None }
    }

    /// Sets the name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets what it is.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the size of the content in bytes.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }
}
