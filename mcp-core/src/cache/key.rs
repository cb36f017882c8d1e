//! What tells one cached call from another.

use std::cell::Cell;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::Serialize;

use super::encode::{self, Encoder};
use super::tag::TagId;

/// The identity of a call: component, version, schema, owner and canonical arguments.
///
/// A keyed BLAKE3 digest of 256 bits. Two calls have one key only if all those parts are equal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// Returns the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The digest is uniform and nobody outside can steer it: eight of its bytes are enough.
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
}

impl fmt::Debug for Key {
    /// Writes eight digits: enough to compare two log lines, too few to look anything up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Key({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

/// Writes the parts of a call and hashes them into its [`Key`].
///
/// Arguments are written as the typed values that the component gets, after defaults, not as the
/// text that came in: the order of fields, omitted defaults and white space make no difference, and
/// integers are exact. A `HashSet` is written in its own order, which differs from set to set:
/// equal sets are then computed again, never mixed up. Use a `BTreeSet` for arguments.
///
/// # Examples
///
/// ```
/// use mcp_core::cache::{KeyWriter, random_secret};
///
/// let secret = random_secret();
/// let key = |id: u64| KeyWriter::new(&secret, "tool/user", 1, 7).field("id", &id).finish();
/// assert_eq!(key(1), key(1));
/// assert_ne!(key(1), key(2));
/// ```
pub struct KeyWriter {
    root: KeyRoot,
    /// Room for an owner in [`OWNER`] bytes, then the arguments.
    text: Vec<u8>,
    owned: bool,
    error: Option<KeyError>,
}

/// What the keys of one component are hashed with: derived once, so that the key of a small call is one block.
#[derive(Clone, Copy)]
pub struct KeyRoot([u8; 32]);

/// One byte that says that there is an owner, and its digest; without one, a zero in the last place.
const OWNER: usize = 33;

impl KeyRoot {
    /// Derives the root of a component.
    ///
    /// `secret` keeps whoever sees a key from finding out its arguments by trying; `component` is
    /// kind and name; `version` is what the user declared, `schema` a fingerprint of the result's type.
    pub fn new(secret: &[u8; 32], component: &str, version: u32, schema: u64) -> Self {
        let mut text = b"mcp cache key 2\0".to_vec();
        encode::text(&mut text, component);
        text.extend_from_slice(&version.to_le_bytes());
        text.extend_from_slice(&schema.to_le_bytes());
        Self(*blake3::keyed_hash(secret, &text).as_bytes())
    }
}

impl fmt::Debug for KeyRoot {
    /// Writes nothing of what keeps keys from being guessed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRoot(..)")
    }
}

impl KeyWriter {
    /// Starts the key of one call of a component; see [`KeyRoot::new`].
    pub fn new(secret: &[u8; 32], component: &str, version: u32, schema: u64) -> Self {
        Self::of(KeyRoot::new(secret, component, version, schema))
    }

    /// Starts the key of one call.
    pub fn of(root: KeyRoot) -> Self {
        let mut text = SPARE.take();
        text.clear();
        text.extend_from_slice(&[0; OWNER]);
        Self { root, text, owned: false, error: None }
    }

    /// Sets whose result it is; `None`: everybody's.
    ///
    /// The digest covers the kind of the owner as well, so that a tenant and an identity of the same
    /// name differ.
    pub fn owner(&mut self, owner: Option<&[u8; 32]>) -> &mut Self {
        self.owned = owner.is_some();
        self.text[0] = u8::from(self.owned);
        self.text[1..OWNER].copy_from_slice(owner.unwrap_or(&[0; 32]));
        self
    }

    /// Adds one argument; what cannot be part of a key is reported by [`finish`](Self::finish).
    pub fn field(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> &mut Self {
        if self.error.is_none() {
            encode::text(&mut self.text, name);
            if let Err(reason) = value.serialize(&mut Encoder::new(&mut self.text)) {
                self.error = Some(KeyError { argument: name.into(), reason: reason.0 });
            }
        }
        self
    }

    /// Returns the key.
    ///
    /// # Errors
    ///
    /// When an argument is NaN, is nested deeper than 128 levels, or does not serialize. Such a call
    /// is not cached.
    pub fn finish(&self) -> Result<Key, KeyError> {
        self.check()?;
        let start = if self.owned { 0 } else { OWNER - 1 };
        Ok(Key(*blake3::keyed_hash(&self.root.0, &self.text[start..]).as_bytes()))
    }

    /// Returns the tag of every call of this component with these arguments, whoever owns it.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn arguments(&self) -> Result<TagId, KeyError> {
        self.check()?;
        let mut hasher = blake3::Hasher::new_keyed(&self.root.0);
        hasher.update(&[0]).update(&self.text[OWNER..]);
        Ok(TagId::arguments(&Key(*hasher.finalize().as_bytes())))
    }

    fn check(&self) -> Result<(), KeyError> {
        self.error.clone().map_or(Ok(()), Err)
    }
}

thread_local! {
    /// The buffer of the last key, so that a hit allocates none.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Drop for KeyWriter {
    fn drop(&mut self) {
        const LARGEST_SPARE: usize = 64 << 10;
        if self.text.capacity() <= LARGEST_SPARE {
            SPARE.set(std::mem::take(&mut self.text));
        }
    }
}

/// Why a call has no key: which argument stands in the way.
///
/// Holds no value of an argument, so that it may be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    argument: Box<str>,
    reason: encode::Reason,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "argument `{}` cannot be part of a cache key: {}", self.argument, self.reason)
    }
}

impl std::error::Error for KeyError {}

/// Returns the secret that a text stands for.
pub fn derived_secret(text: &str) -> [u8; 32] {
    blake3::derive_key("mcp cache secret 1", text.as_bytes())
}

/// Returns a secret for the keys of one process.
///
/// # Panics
///
/// Panics where the operating system has no randomness: a server must not start with a secret that
/// can be guessed.
#[expect(clippy::expect_used, reason = "documented")]
pub fn random_secret() -> [u8; 32] {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).expect("the operating system has randomness");
    secret
}
