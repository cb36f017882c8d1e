//! Who calls over HTTP: static tokens, access tokens of an OAuth authorization server, or a program's own way.
//!
//! In reading order: what an authentication is, the static tokens, the access tokens (`jwt` checks them with
//! the `keys` that `jwks` keeps and `fetch` gets), which of them the configuration asks for, and what a
//! refused client is told.

mod authenticator;
mod headers;

mod tokens;

#[cfg(feature = "jwt")]
mod fetch;
#[cfg(feature = "jwt")]
mod jwks;
#[cfg(feature = "jwt")]
mod jwt;
#[cfg(feature = "jwt")]
mod keys;

mod configured;

#[cfg(feature = "http")]
pub(crate) mod challenge;

#[cfg(test)]
#[cfg(feature = "jwt")]
mod tests;

pub use authenticator::{Authenticator, ProtectedResource, Unauthorized};
pub(crate) use configured::configured;
pub use headers::Headers;
#[cfg(feature = "jwt")]
pub use jwt::Jwt;
