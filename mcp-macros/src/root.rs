//! The path of the runtime crate: `crate = ::path`, or the one that Cargo.toml names.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Expr, Path};

use crate::errors::Errors;
use crate::options::Entry;
use crate::types::shown;

/// The path of `mcp-core`, or of `mcp-server`, which re-exports it.
pub(crate) struct Root(Path);

/// Finds the path where no `crate = ..` is written.
pub(crate) type Find = fn() -> Option<Path>;

impl Root {
    /// Reads `crate = ::path`; `find` is asked where it is not written.
    pub(crate) fn read(entry: Option<Entry>, find: Find, errors: &mut Errors) -> Option<Self> {
        let Some(entry) = entry else {
            let found = find();
            if found.is_none() {
                errors.add(
                    Span::call_site(),
                    "the crate of this attribute is not among the dependencies: add `mcp-server` to Cargo.toml, or write `crate = ::path`",
                );
            }
            return found.map(Self);
        };
        match entry.expression(errors)? {
            Expr::Path(path)
                if path.path.leading_colon.is_some()
                    || path.path.segments.first().is_some_and(|first| first.ident == "crate") =>
            {
                Some(Self(path.path))
            }
            Expr::Path(path) => {
                errors.add(&path, format!("`crate` is an absolute path: write `crate = ::{}`", shown(&path)));
                None
            }
            other => {
                errors.add(&other, "`crate` is a path: write `crate = ::mcp_server`");
                None
            }
        }
    }

    /// Returns the path as text, for `#[serde(crate = "..")]`, with `end` behind it.
    pub(crate) fn text(&self, end: &str) -> String {
        let colons = if self.0.leading_colon.is_some() { "::" } else { "" };
        let names: Vec<String> = self.0.segments.iter().map(|segment| segment.ident.to_string()).collect();
        format!("{colons}{}::__private::{end}", names.join("::"))
    }
}

impl ToTokens for Root {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// Asks Cargo.toml.
///
/// `mcp-core` first: a crate of tools that tests itself with a server has `mcp-server` among its
/// development dependencies only, where the tools cannot name it, and Cargo.toml's two lists are
/// one to `proc-macro-crate`. A crate that has both sees the same items through either.
pub(crate) fn from_manifest() -> Option<Path> {
    let names = [("mcp-core", "mcp_core"), ("mcp-server", "mcp_server")];
    let found = names.into_iter().find_map(|(package, itself)| match crate_name(package).ok()? {
        FoundCrate::Itself => Some(itself.to_owned()),
        FoundCrate::Name(name) => Some(name),
    });
    syn::parse_str(&format!("::{}", found?)).ok()
}
