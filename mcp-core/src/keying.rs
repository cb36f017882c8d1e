//! From a call to its place in the cache.

use std::time::Duration;

use crate::cache::{Cache, Key, KeyRoot, KeyWriter, Lookup, TagId};
use crate::component::{Contract, Def, Prepared, Tags};
use crate::identity::Identity;
use crate::policy::{CachePolicy, Scope};
use crate::uri;

/// A call that the cache may know: enough to look, and on a miss to go on.
pub struct Keyed {
    /// Where the cache keeps its result.
    pub key: Key,
    /// What the component declared.
    pub policy: CachePolicy,
    writer: KeyWriter,
}

/// Returns the place of a call in the cache, or `None` where this one is not to be cached: the
/// component has no policy, its `when` says no, or an argument has no canonical form (NaN).
///
/// `root` is [`root`] of the component.
pub fn keyed(def: &Def, root: KeyRoot, prepared: &dyn Prepared, identity: &Identity) -> Option<Keyed> {
    let policy = def.cache.filter(|_| prepared.when())?;
    let mut writer = writer(root, prepared);
    writer.owner(owner(policy.scope, identity).as_ref());
    match writer.finish() {
        Ok(key) => Some(Keyed { key, policy, writer }),
        Err(reason) => {
            tracing::debug!(component = def.name, %reason, "a call without a cache key");
            None
        }
    }
}

impl Keyed {
    /// Returns all that the cache must know to keep a result: the tags are made here, as a hit needs none.
    ///
    /// `uri` is the one that a resource is read by.
    pub fn lookup(self, def: &Def, prepared: &dyn Prepared, uri: Option<&str>) -> Lookup {
        let mut tags = declared_tags(def, prepared);
        tags.extend(self.writer.arguments());
        tags.extend(uri.map(|uri| TagId::resource(&uri::canonical(uri))));
        Lookup { key: self.key, tags: tags.into(), policy: self.policy, timeout: def.timeout }
    }
}

/// Returns the tags that a result carries because of its component: the attribute's, and the component's own.
pub fn declared_tags(def: &Def, prepared: &dyn Prepared) -> Vec<TagId> {
    let mut tags = Tags::default();
    prepared.tags(&mut tags);
    tags.component(def);
    tags.into_ids()
}

/// Returns the tag of all cached results for these arguments, whoever they are for.
pub fn arguments_tag(def: &Def, root: KeyRoot, prepared: &dyn Prepared) -> Option<TagId> {
    let _ = def.cache?;
    writer(root, prepared).arguments().ok()
}

/// Returns what the keys of a component are hashed with: name, version and schemas, under the cache's secret.
pub fn root(def: &Def, cache: &Cache) -> KeyRoot {
    let version = def.cache.map_or(0, |policy| policy.version);
    cache.key_root(&def.id(), version, fingerprint(def))
}

/// Returns a number that changes with the schemas of the component: results of an earlier meaning
/// are then out of reach, also of processes that share a level.
fn fingerprint(def: &Def) -> u64 {
    let mut hasher = blake3::Hasher::new();
    let schemas =
        [def.arguments.map(|schema| schema(Contract::Deserialize)), def.output.and_then(|schema| schema())];
    for schema in schemas.into_iter().flatten() {
        let text = schema.as_value().to_string();
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Returns the time after which the component's results are no longer fresh.
pub fn ttl(policy: &CachePolicy, default: Duration) -> Duration {
    policy.ttl.unwrap_or(default)
}

fn writer(root: KeyRoot, prepared: &dyn Prepared) -> KeyWriter {
    let mut key = KeyWriter::of(root);
    prepared.key(&mut key);
    key
}

fn owner(scope: Scope, identity: &Identity) -> Option<[u8; 32]> {
    match scope {
        Scope::Public => None,
        Scope::Private => Some(identity.fingerprint()),
        Scope::Tenant => Some(identity.tenant_fingerprint().unwrap_or_else(|| identity.fingerprint())),
    }
}
