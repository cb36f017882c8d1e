//! The public keys of an issuer.

use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The keys of one fetch.
pub(super) struct Keys {
    /// Which fetch: what an older one verified is verified again.
    pub(super) generation: u64,
    /// When that was.
    pub(super) fetched: Duration,
    pub(super) keys: Vec<Key>,
}

/// A key that signatures are checked with.
pub(super) struct Key {
    id: Option<String>,
    /// What the key may be used with.
    ///
    /// Never that of another kind of key, and never HMAC, whose secret would be public (RFC 8725 §2.1).
    algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

impl Keys {
    /// Returns the key that a token names; without a name, the only one that fits.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let mut fitting = self.keys.iter().filter(|key| key.algorithms.contains(&algorithm));
        match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }

    pub(super) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.fetched)
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.id.as_deref() == Some(id))
    }
}

/// Reads a JWK set, without what is no key for signatures (RFC 7517 §5).
pub(super) fn read(text: &[u8]) -> Result<Vec<Key>, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }

    let set: Set = serde_json::from_slice(text).map_err(|error| format!("no JWK set: {error}"))?;
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
    Ok(keys.filter_map(|key| Key::new(&key)).collect())
}

impl Key {
    fn new(jwk: &Jwk) -> Option<Self> {
        let fitting = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => AlgorithmFamily::Rsa.algorithms().to_vec(),
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                vec![Algorithm::ES256]
            }
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => {
                vec![Algorithm::ES384]
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                vec![Algorithm::EdDSA]
            }
            _ => return None,
        };
        let algorithms = match jwk.common.key_algorithm {
            None => fitting,
            Some(named) => vec![Algorithm::try_from(named).ok().filter(|named| fitting.contains(named))?],
        };
        let is_for_signatures =
            jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
        let operations = jwk.common.key_operations.as_ref();
        let verifies = operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        // Another backend of jsonwebtoken, which the program may have chosen, panics at a shorter key.
        let is_whole =
            decoding.family() != AlgorithmFamily::Ed || decoding.try_get_as_bytes().ok()?.len() == 32;
        let usable = is_for_signatures && verifies && is_whole;
        usable.then(|| Self { id: jwk.common.key_id.clone(), algorithms, decoding })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn usable(key: Value) -> usize {
        read(json!({ "keys": [key] }).to_string().as_bytes()).unwrap().len()
    }

    #[test]
    fn only_keys_for_signatures_are_kept() {
        let x = "A".repeat(43);
        let ec = |more: Value| {
            let mut key = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x });
            key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            key
        };
        for key in [
            ec(json!({})),
            ec(json!({ "alg": "ES256", "use": "sig" })),
            ec(json!({ "key_ops": ["verify"] })),
            json!({ "kty": "RSA", "n": x, "e": "AQAB", "alg": "PS512" }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": x }),
        ] {
            assert_eq!(usable(key.clone()), 1, "{key}");
        }
        for key in [
            ec(json!({ "use": "enc" })),
            ec(json!({ "key_ops": ["encrypt"] })),
            ec(json!({ "alg": "ES384" })),
            ec(json!({ "alg": "HS256" })),
            ec(json!({ "alg": "ECDH-ES" })),
            ec(json!({ "crv": "P-521" })),
            ec(json!({ "x5c": "not a list" })),
            json!({ "kty": "oct", "k": x, "alg": "HS256" }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" }),
            json!({ "kty": "AKP", "pub": x }),
            json!("no key"),
        ] {
            assert_eq!(usable(key.clone()), 0, "{key}");
        }
    }

    #[test]
    fn what_is_no_set_is_a_mistake() {
        for text in ["", "{}", "[]", "<html>", "{\"keys\":{}}"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
