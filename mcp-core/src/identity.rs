//! Who calls.

use std::collections::BTreeSet;
use std::sync::Arc;

/// The caller, as the server's authentication found it; anonymous over stdio.
///
/// Two identities are equal when issuer, subject, tenant and scopes are: that is what private
/// results are kept apart by, so that a refreshed token of the same caller still finds them.
///
/// # Examples
///
/// ```
/// use mcp_core::Identity;
///
/// let alice = Identity::new("https://login.example", "alice").with_scopes(["read"]);
/// assert!(alice.has_scope("read") && !alice.has_scope("write"));
/// assert!(Identity::anonymous().is_anonymous());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Identity(Option<Arc<Known>>);

#[derive(Clone, Default, PartialEq, Eq)]
struct Known {
    issuer: String,
    subject: String,
    tenant: Option<String>,
    scopes: BTreeSet<String>,
}

impl Identity {
    /// Creates the identity of a caller that nobody vouches for.
    pub fn anonymous() -> Self {
        Self(None)
    }

    /// Creates the identity that `issuer` calls `subject`.
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self(Some(Arc::new(Known { issuer: issuer.into(), subject: subject.into(), ..Known::default() })))
    }

    /// Sets the tenant.
    #[must_use]
    pub fn with_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.known().tenant = Some(tenant.into());
        self
    }

    /// Adds scopes.
    #[must_use]
    pub fn with_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.known().scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    fn known(&mut self) -> &mut Known {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    /// Returns who vouches for the caller.
    pub fn issuer(&self) -> Option<&str> {
        self.0.as_ref().map(|known| known.issuer.as_str())
    }

    /// Returns the caller's name with the issuer.
    pub fn subject(&self) -> Option<&str> {
        self.0.as_ref().map(|known| known.subject.as_str())
    }

    /// Returns the tenant that the caller belongs to.
    pub fn tenant(&self) -> Option<&str> {
        self.0.as_ref()?.tenant.as_deref()
    }

    /// Returns whether the caller holds a scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.as_ref().is_some_and(|known| known.scopes.contains(scope))
    }

    /// Returns whether nobody vouches for the caller.
    pub fn is_anonymous(&self) -> bool {
        self.0.is_none()
    }

    /// Returns 32 bytes that differ for identities that differ.
    pub fn fingerprint(&self) -> [u8; 32] {
        let Some(known) = &self.0 else { return [0; 32] };
        let scopes = known.scopes.iter().map(String::as_str);
        let parts = ["identity", &known.issuer, &known.subject].into_iter();
        digest(
            parts.chain(known.tenant.as_deref().map_or([""; 2], |tenant| ["tenant", tenant])).chain(scopes),
        )
    }

    /// Returns 32 bytes that differ for tenants that differ, or `None` without a tenant.
    pub fn tenant_fingerprint(&self) -> Option<[u8; 32]> {
        let known = self.0.as_ref()?;
        Some(digest(["tenant", &known.issuer, known.tenant.as_deref()?].into_iter()))
    }
}

/// Hashes parts so that no two lists of parts share their bytes.
pub fn digest<'a>(parts: impl Iterator<Item = &'a str>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

/// Shows neither the subject nor the scopes, which belong in no log.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_anonymous() { "Identity(anonymous)" } else { "Identity(..)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_tell_every_part_apart() {
        let base = Identity::new("i", "s");
        let all = [
            Identity::anonymous(),
            base.clone(),
            Identity::new("is", ""),
            Identity::new("", "is"),
            base.clone().with_tenant("t"),
            base.clone().with_scopes(["t"]),
            base.clone().with_scopes(["tenant", "t"]),
            base.clone().with_tenant("t").with_scopes(["a"]),
            base.clone().with_tenant("t").with_scopes(["a", "b"]),
            base.with_tenant("t").with_scopes(["ab"]),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().map(Identity::fingerprint).collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn the_order_of_scopes_is_no_part_of_it() {
        let one = Identity::new("i", "s").with_scopes(["a", "b"]);
        let two = Identity::new("i", "s").with_scopes(["b", "a"]);
        assert_eq!(one.fingerprint(), two.fingerprint());
    }
}
