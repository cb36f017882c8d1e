//! How bytes come in and go out.

#[cfg(feature = "http")]
pub(crate) mod http;
mod stdio;
