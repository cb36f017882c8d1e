//! What is there before a database is used for the first time.

/// What the first use of a database finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The tables of this version.
    Ready,
    /// Nothing: the first use makes it.
    Missing,
    /// Something of the cache that the first use removes or moves aside, and why.
    Anew(&'static str),
}
