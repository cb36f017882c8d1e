//! The path of the runtime crate: `crate = ::path`, or the one that Cargo.toml names.

use std::path::Path;

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::Expr;
use toml_edit::{DocumentMut, Item, TableLike};

use crate::errors::Errors;
use crate::options::Entry;
use crate::types::shown;

/// The path of `mcp-core`, or of `mcp-server`, which re-exports it.
pub(crate) struct Root(syn::Path);

/// Finds the path where no `crate = ..` is written.
pub(crate) type Find = fn() -> Option<syn::Path>;

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
/// Its two lists are one to `proc-macro-crate`, but what stands under `[dev-dependencies]` cannot be
/// named outside of tests: a crate of tools may test itself with a server, and a server with `mcp-core`.
/// A crate that has both among its dependencies sees the same items through either.
pub(crate) fn from_manifest() -> Option<syn::Path> {
    let names = [("mcp-server", "mcp_server"), ("mcp-core", "mcp_core")];
    let found = names.map(|(package, itself)| match crate_name(package).ok()? {
        FoundCrate::Itself => Some(itself.to_owned()),
        FoundCrate::Name(name) => Some(name),
    });
    let name = match found {
        [Some(server), Some(core)] => {
            if manifest().is_some_and(|manifest| is_everywhere(&server, &manifest)) { server } else { core }
        }
        [server, core] => server.or(core)?,
    };
    syn::parse_str(&format!("::{name}")).ok()
}

fn manifest() -> Option<String> {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR")?;
    std::fs::read_to_string(Path::new(&folder).join("Cargo.toml")).ok()
}

/// Returns whether a crate stands among the dependencies that are not for tests alone.
fn is_everywhere(name: &str, manifest: &str) -> bool {
    let has = |table: &dyn TableLike| {
        let names = table.get("dependencies").and_then(Item::as_table_like);
        names.is_some_and(|names| names.iter().any(|(key, _)| key.replace('-', "_") == name))
    };
    let Ok(manifest) = manifest.parse::<DocumentMut>() else { return false };
    let targets = manifest.get("target").and_then(Item::as_table_like);
    let mut targets = targets.into_iter().flat_map(|targets| targets.iter());
    has(manifest.as_table()) || targets.any(|(_, target)| target.as_table_like().is_some_and(has))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_tests_alone_is_not_everywhere() {
        let cases = [
            ("[dependencies]\nmcp-server = \"1\"\n[dev-dependencies]\nmcp-core = \"1\"", true),
            ("[dependencies]\nmcp-core = \"1\"\n[dev-dependencies]\nmcp-server = \"1\"", false),
            ("[dependencies.mcp_server]\npath = \"..\"", true),
            ("[target.'cfg(unix)'.dependencies]\nmcp-server = \"1\"", true),
            ("[target.'cfg(unix)'.dev-dependencies]\nmcp-server = \"1\"", false),
            ("[dependencies", false),
        ];
        for (manifest, expected) in cases {
            assert_eq!(is_everywhere("mcp_server", manifest), expected, "{manifest}");
        }
    }
}
