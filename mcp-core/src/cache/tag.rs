//! Names of groups of entries, as fixed-size digests.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::key::Key;

/// The digest of a name under which entries are invalidated together.
///
/// Tags, resources, components and arguments are kept apart: none is ever equal to one of another kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TagId([u8; 16]);

impl TagId {
    /// Names the entries that carry a tag.
    pub fn tag(name: &str) -> Self {
        Self::of(b"tag", &[name.as_bytes()])
    }

    /// Names what was read from a resource.
    pub fn resource(uri: &str) -> Self {
        Self::of(b"resource", &[uri.as_bytes()])
    }

    /// Names all results of a component, given by its kind and its name.
    pub fn component(kind: &str, name: &str) -> Self {
        // The length of the first keeps `("a", "bc")` and `("ab", "c")` apart.
        Self::of(b"component", &[&kind.len().to_le_bytes(), kind.as_bytes(), name.as_bytes()])
    }

    /// Names the results of a component for some arguments, given by their key without an owner.
    ///
    /// The same as [`KeyWriter::arguments`](super::KeyWriter::arguments).
    pub fn arguments(key: &Key) -> Self {
        Self::of(b"arguments", &[key.as_bytes()])
    }

    /// Returns the digest, as levels keep it.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the tag of a digest that a level has kept.
    pub const fn from_bytes(digest: [u8; 16]) -> Self {
        Self(digest)
    }

    fn of(kind: &'static [u8], name: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"mcp cache tag 1\0").update(kind).update(b"\0");
        for part in name {
            hasher.update(part);
        }
        let mut digest = [0; 16];
        hasher.finalize_xof().fill(&mut digest);
        Self(digest)
    }
}

impl Hash for TagId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // All of it, unlike a key: whoever may choose tags could make eight bytes collide.
        state.write_u128(u128::from_le_bytes(self.0));
    }
}

impl fmt::Debug for TagId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "TagId({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}
