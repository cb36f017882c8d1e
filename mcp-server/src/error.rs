//! Why a server does not start or serve.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

/// Why a server does not start, or stopped serving.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// Mistakes in the components or their settings, each a line that says what to change.
    Start(Arc<[String]>),
    /// The transport failed.
    Transport(String),
}

impl Error {
    pub(crate) fn start(mistake: impl Into<String>) -> Self {
        Self::Start([mistake.into()].into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(mistakes) => f.write_str(&mistakes.join("\n")),
            Self::Transport(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Error {}

/// Returns a short id that ties an answer to a log line.
pub(crate) fn log_id() -> String {
    format!("{:08x}", RandomState::new().hash_one(0_u8) as u32)
}
