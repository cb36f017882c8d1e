//! Compressed payloads that are kept, since the cache serves the same bytes again.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::encoding::Encoding;
use super::packed::Packed;

/// How long a generation stays young: what is idle is let go after 60 s, two of them, at the latest.
const GENERATION: Duration = Duration::from_secs(30);

/// What an entry takes beside its bytes, about.
const OVERHEAD: usize = 256;

/// Compressed payloads in bounded memory, found by their address.
///
/// An address names the same bytes for as long as an entry is here, as the entry keeps them. Two who ask for
/// a new payload at once may both compress it. Time passes for the store when it is used.
pub(crate) struct Precompressed {
    generations: Mutex<Generations>,
}

/// What was used lately, and what was used before that. Growing old is one move, whatever there is.
struct Generations {
    young: HashMap<Key, Kept>,
    old: HashMap<Key, Kept>,
    /// What the young weigh.
    weight: usize,
    /// What either generation may weigh.
    half: usize,
    since: Instant,
}

#[derive(Clone, Copy, Eq, Hash, PartialEq)]
struct Key {
    encoding: Encoding,
    address: usize,
    len: usize,
}

struct Kept {
    /// Never read: while it is here, nothing else has its address.
    _payload: Bytes,
    packed: Arc<Packed>,
    weight: usize,
}

impl Precompressed {
    /// Makes a store of so many bytes.
    ///
    /// Payloads and what they were compressed to count together; what would take more than half is not kept.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            generations: Mutex::new(Generations {
                young: HashMap::new(),
                old: HashMap::new(),
                weight: 0,
                half: capacity / 2,
                since: Instant::now(),
            }),
        }
    }

    /// Returns the compressed payload, which the first one to ask compresses.
    pub(crate) fn get_or_pack(&self, encoding: Encoding, payload: &Bytes) -> Arc<Packed> {
        self.at(Instant::now(), encoding, payload)
    }

    fn at(&self, now: Instant, encoding: Encoding, payload: &Bytes) -> Arc<Packed> {
        let key = Key { encoding, address: payload.as_ptr().addr(), len: payload.len() };
        if let Some(packed) = self.generations().get(key, now) {
            return packed;
        }
        let packed = Arc::new(Packed::new(encoding, payload));
        let weight = payload.len() + packed.len() + OVERHEAD;
        let kept = Kept { _payload: payload.clone(), packed: Arc::clone(&packed), weight };
        self.generations().put(key, kept);
        packed
    }

    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn get(&mut self, key: Key, now: Instant) -> Option<Arc<Packed>> {
        let age = now.saturating_duration_since(self.since);
        if age >= 2 * GENERATION {
            self.grow_old();
            self.grow_old();
            self.since = now;
        } else if age >= GENERATION {
            self.grow_old();
            self.since += GENERATION;
        }
        if let Some(kept) = self.young.get(&key) {
            return Some(Arc::clone(&kept.packed));
        }
        let kept = self.old.remove(&key)?;
        let packed = Arc::clone(&kept.packed);
        self.put(key, kept);
        Some(packed)
    }

    fn put(&mut self, key: Key, kept: Kept) {
        if kept.weight > self.half {
            return;
        }
        if kept.weight > self.half - self.weight {
            self.grow_old();
        }
        self.weight += kept.weight;
        if let Some(same) = self.young.insert(key, kept) {
            self.weight -= same.weight;
        }
    }

    fn grow_old(&mut self) {
        self.old = mem::take(&mut self.young);
        self.weight = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;
    use std::thread;

    use super::super::samples::{self, read};
    use super::*;

    struct Owner(Arc<Vec<u8>>);

    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    /// Bytes of which one can tell when they are gone.
    fn watched(bytes: Vec<u8>) -> (Bytes, Weak<Vec<u8>>) {
        let owner = Arc::new(bytes);
        let weak = Arc::downgrade(&owner);
        (Bytes::from_owner(Owner(owner)), weak)
    }

    fn alive(payloads: &[Weak<Vec<u8>>]) -> usize {
        payloads.iter().filter(|payload| payload.strong_count() > 0).count()
    }

    #[test]
    fn the_same_bytes_are_compressed_once() {
        let store = Precompressed::new(1 << 20);
        let payload = Bytes::from(samples::json(10_000));
        let first = store.get_or_pack(Encoding::Gzip, &payload);
        assert!(Arc::ptr_eq(&first, &store.get_or_pack(Encoding::Gzip, &payload.clone())));

        assert!(!Arc::ptr_eq(&first, &store.get_or_pack(Encoding::Zstd, &payload)));
        let copy = Bytes::copy_from_slice(&payload);
        assert!(!Arc::ptr_eq(&first, &store.get_or_pack(Encoding::Gzip, &copy)));
        let part = store.get_or_pack(Encoding::Gzip, &payload.slice(..5000));
        assert_eq!(read(Encoding::Gzip, &part.splice(b"", b"").concat()), payload[..5000]);
    }

    #[test]
    fn an_address_is_not_used_again_while_it_is_known() {
        let store = Precompressed::new(1 << 20);
        for round in 0_u8..100 {
            let payload = Bytes::from(vec![round; 5000]);
            let packed = store.get_or_pack(Encoding::Gzip, &payload);
            assert_eq!(read(Encoding::Gzip, &packed.splice(b"", b"").concat()), payload);
        }
    }

    #[test]
    fn the_bound_is_kept_and_what_is_used_stays() {
        // Room for two random payloads in either generation.
        let store = Precompressed::new(200_000);
        let (used, used_weak) = watched(samples::random(20_000));
        let first = store.get_or_pack(Encoding::Zstd, &used);
        let mut gone = Vec::new();
        for _ in 0..20 {
            let (payload, weak) = watched(samples::random(20_000));
            store.get_or_pack(Encoding::Zstd, &payload);
            gone.push(weak);
            assert!(Arc::ptr_eq(&first, &store.get_or_pack(Encoding::Zstd, &used)));
            assert!(alive(&gone) <= 3);
        }
        drop(used);
        assert_eq!(used_weak.strong_count(), 1);
    }

    #[test]
    fn what_is_too_large_is_served_but_not_kept() {
        let store = Precompressed::new(100_000);
        let (payload, weak) = watched(samples::random(40_000));
        let packed = store.get_or_pack(Encoding::Gzip, &payload);
        assert_eq!(read(Encoding::Gzip, &packed.splice(b"", b"").concat()), payload);
        drop(payload);
        assert_eq!(weak.strong_count(), 0);
    }

    #[test]
    fn idle_payloads_go_within_a_minute() {
        let store = Precompressed::new(1 << 20);
        let start = Instant::now();
        let at = |seconds, payload: &Bytes| {
            store.at(start + Duration::from_secs(seconds), Encoding::Gzip, payload)
        };
        let (used, (idle, weak)) = (Bytes::from(samples::json(1000)), watched(samples::json(1000)));
        let first = at(0, &used);
        at(29, &idle);
        drop(idle);
        for second in [59, 61, 88, 119, 121, 149] {
            assert!(Arc::ptr_eq(&first, &at(second, &used)));
            assert_eq!(weak.strong_count(), usize::from(second < 61), "{second}");
        }
        assert!(!Arc::ptr_eq(&first, &at(400, &used)), "nothing was used for two generations");
    }

    #[test]
    fn many_may_ask_at_once() {
        let store = Precompressed::new(1 << 20);
        let payload = Bytes::from(samples::json(50_000));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let packed = store.get_or_pack(Encoding::Gzip, &payload);
                    assert_eq!(
                        read(Encoding::Gzip, &packed.splice(b"[", b"]").concat())[1..=payload.len()],
                        payload
                    );
                });
            }
        });
        let generations = store.generations();
        let weights: usize = generations.young.values().map(|kept| kept.weight).sum();
        assert_eq!((generations.young.len(), generations.weight), (1, weights));
    }
}
