//! What goes wrong in a call, and who may read about it.

use std::fmt;
use std::sync::Arc;

use crate::ask::Asked;

/// The error of a component: what the caller is told.
///
/// A message given to [`ToolError::new`], [`not_found`](ToolError::not_found) or
/// [`invalid`](ToolError::invalid) is shown to the caller. Any other [`std::error::Error`] becomes
/// a `ToolError` through `?`; it is logged with an id, and the caller sees that id and nothing else.
///
/// `ToolError` does not implement [`std::error::Error`] itself, as that would conflict with the
/// conversion from every other error (the same choice as `anyhow::Error`).
///
/// # Examples
///
/// ```
/// use mcp_core::ToolError;
///
/// fn parse(text: &str) -> Result<u32, ToolError> {
///     if text.is_empty() {
///         return Err(ToolError::invalid("`text` is empty: write a number"));
///     }
///     Ok(text.parse::<u32>()?) // a `ParseIntError` stays hidden from the caller
/// }
///
/// assert_eq!(parse("").unwrap_err().message(), "`text` is empty: write a number");
/// assert!(parse("x").unwrap_err().is_hidden());
/// ```
#[derive(Clone)]
pub struct ToolError(Inner);

#[derive(Clone)]
enum Inner {
    Shown {
        kind: ErrorKind,
        message: Arc<str>,
    },
    Hidden(Arc<dyn std::error::Error + Send + Sync>),
    /// The function has done its work, and its result could not be written.
    Unwritten(Arc<dyn std::error::Error + Send + Sync>),
}

/// What a [`ToolError`] that its caller may read is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The work failed.
    Failed,
    /// What was asked for does not exist; kept by `cache(negative = "..")`.
    NotFound,
    /// The arguments cannot be worked with.
    Invalid,
    /// The client did not declare what the component needs of it: the method that it would be asked.
    MissingCapability(&'static str),
}

impl ToolError {
    /// Creates an error whose message the caller reads.
    pub fn new(message: impl fmt::Display) -> Self {
        Self::shown(ErrorKind::Failed, message)
    }

    /// Creates the error for something that does not exist.
    ///
    /// A component with `cache(negative = "30s")` remembers this answer for that long. A resource
    /// answers with the protocol's own code for it.
    pub fn not_found(message: impl fmt::Display) -> Self {
        Self::shown(ErrorKind::NotFound, message)
    }

    /// Creates the error for arguments that cannot be worked with.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self::shown(ErrorKind::Invalid, message)
    }

    /// Creates the error for a client that does not answer `method`.
    pub(crate) fn missing_capability(method: &'static str) -> Self {
        Self::shown(
            ErrorKind::MissingCapability(method),
            format_args!("this client does not answer `{method}`: it declared no such capability"),
        )
    }

    fn shown(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self(Inner::Shown { kind, message: message.to_string().into() })
    }

    /// Returns what the error is about, or `None` for one that is hidden from the caller.
    pub fn kind(&self) -> Option<ErrorKind> {
        match &self.0 {
            Inner::Shown { kind, .. } => Some(*kind),
            Inner::Hidden(_) | Inner::Unwritten(_) => None,
        }
    }

    /// Creates the error for a result that has no JSON form.
    pub(crate) fn unwritten(error: serde_json::Error) -> Self {
        Self(Inner::Unwritten(Arc::new(error)))
    }

    /// Returns whether the function did its work all the same.
    #[doc(hidden)]
    pub fn is_unwritten(&self) -> bool {
        matches!(self.0, Inner::Unwritten(_))
    }

    /// Returns whether the caller sees only an id in its place.
    pub fn is_hidden(&self) -> bool {
        self.kind().is_none()
    }

    /// Returns the message for the log: of a hidden error, it and all its sources.
    pub fn message(&self) -> String {
        match &self.0 {
            Inner::Shown { message, .. } => message.to_string(),
            Inner::Hidden(error) | Inner::Unwritten(error) => {
                let mut text = error.to_string();
                let mut source = error.source();
                while let Some(cause) = source {
                    text.push_str(": ");
                    text.push_str(&cause.to_string());
                    source = cause.source();
                }
                text
            }
        }
    }
}

impl fmt::Debug for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolError").field("kind", &self.kind()).field("message", &self.message()).finish()
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for ToolError {
    fn from(error: E) -> Self {
        Self(Inner::Hidden(Arc::new(error)))
    }
}

/// Why a call has no result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The component returned an error, or its arguments did not fit.
    Error(ToolError),
    /// The component panicked.
    Panic,
    /// The component took longer than its `timeout`.
    Timeout,
    /// The caller went away, or the server is shutting down.
    Cancelled,
    /// As many calls of this component run as its `concurrency` allows, and none ended in time.
    Busy,
    /// The caller's identity lacks one of these scopes.
    Forbidden(&'static [&'static str]),
    /// The component asks the user before it can go on; the caller repeats the call with the answers.
    InputRequired(Arc<Asked>),
}

impl From<ToolError> for Failure {
    fn from(error: ToolError) -> Self {
        Self::Error(error)
    }
}
