//! The form of a value below memory. What does not check out is no value.
//!
//! ```text
//!  0  format: `mcp` and a version        4
//!  4  flags                              4
//!  8  check                             16   keyed BLAKE3 of the key, the tags and all that follows
//! 24  fresh, stale, error, cost         32   milliseconds; cost in microseconds
//! 56  length of the plain payload        4
//! 60  number of marks                    4
//! 64  marks                            8 n
//!     payload
//! ```
//!
//! Times are lengths, not moments: how old a value is, the clock of its level says.

use std::time::Duration;

use bytes::Bytes;

use super::cipher::Cipher;
use super::contract::Marks;
use crate::cache::entry::{LONGEST_LIFE, Life};
use crate::cache::key::Key;
use crate::cache::tag::TagId;

const FORMAT: [u8; 4] = *b"mcp\x01";
const COMPRESSED: u32 = 1;
const ENCRYPTED: u32 = 2;
const CHECK: usize = 8;
const CHECKED: usize = CHECK + 16;
const MARKS: usize = 64;

/// From this size on a payload is compressed: below, it saves no packet.
const COMPRESS_FROM: usize = 4 << 10;

/// Writes values and checks them.
pub(crate) struct Sealer {
    secret: [u8; 32],
    /// Whether only those who share a secret can write a valid check.
    is_secret: bool,
    /// What private values are encrypted with.
    cipher: Option<Cipher>,
}

/// Why bytes are no value for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Something was invalidated since.
    Outdated,
    /// Not written by us for this key, or damaged.
    Corrupt(&'static str),
}

impl Sealer {
    /// `secret` is that of the keys; `is_secret`: whether it is one.
    pub(crate) fn new(secret: &[u8; 32], is_secret: bool, cipher: Option<Cipher>) -> Self {
        Self { secret: blake3::derive_key("mcp cache value 1", secret), is_secret, cipher }
    }

    /// Writes a value; `None` where it is to be encrypted and cannot be.
    pub(crate) fn seal(
        &self,
        key: &Key,
        tags: &[TagId],
        marks: &Marks,
        life: &Life,
        body: &[u8],
        is_private: bool,
    ) -> Option<Vec<u8>> {
        let packed = (body.len() >= COMPRESS_FROM)
            .then(|| lz4_flex::block::compress(body))
            .filter(|packed| packed.len() < body.len());
        let mut flags = if packed.is_some() { COMPRESSED } else { 0 };
        let mut payload = packed.as_deref().unwrap_or(body);
        let encrypted;
        if let Some(cipher) = self.cipher.as_ref().filter(|_| is_private) {
            flags |= ENCRYPTED;
            encrypted = cipher.encrypt(payload)?;
            payload = &encrypted;
        }
        let mut value = Vec::with_capacity(MARKS + 8 * marks.0.len() + payload.len());
        value.extend(FORMAT);
        value.extend(flags.to_le_bytes());
        value.extend([0; CHECKED - CHECK]);
        for time in [life.fresh, life.stale, life.error] {
            value.extend(millis(time).to_le_bytes());
        }
        value.extend(u64::try_from(life.cost.as_micros()).unwrap_or(u64::MAX).to_le_bytes());
        value.extend(length(body.len()).to_le_bytes());
        value.extend(length(marks.0.len()).to_le_bytes());
        value.extend(marks.0.iter().flat_map(|mark| mark.to_le_bytes()));
        value.extend(payload);
        let check = self.check(key, tags, &value);
        if let Some(place) = value.get_mut(CHECK..CHECKED) {
            place.copy_from_slice(&check);
        }
        Some(value)
    }

    /// Reads a value for a call whose tags have these marks now.
    pub(crate) fn open(
        &self,
        key: &Key,
        tags: &[TagId],
        marks: &Marks,
        value: &Bytes,
        largest: usize,
    ) -> Result<(Life, Bytes), Flaw> {
        let mut reader = Reader(value);
        if reader.take::<4>()? != FORMAT {
            // That of another version of ours, most of the time, which may go on with it.
            return Err(Flaw::Outdated);
        }
        let flags = u32::from_le_bytes(reader.take()?);
        let check: [u8; 16] = reader.take()?;
        let mut time = || reader.take().map(u64::from_le_bytes);
        let [fresh, stale, error, cost] = [time()?, time()?, time()?, time()?];
        let plain = u32::from_le_bytes(reader.take()?) as usize;
        let count = u32::from_le_bytes(reader.take()?) as usize;
        // Before the check, which costs more: a mark that was tampered with is no value either way.
        if count != marks.0.len() {
            return Err(Flaw::Outdated);
        }
        for mark in &marks.0 {
            if u64::from_le_bytes(reader.take()?) != *mark {
                return Err(Flaw::Outdated);
            }
        }
        if self.check(key, tags, value) != check {
            return Err(Flaw::Corrupt("the check does not fit"));
        }
        let start = value.len() - reader.0.len();
        if plain > largest {
            return Err(Flaw::Corrupt("larger than results of this component may be"));
        }
        let mut body = value.slice(start..);
        if flags & ENCRYPTED != 0 {
            let plain = self.cipher.as_ref().and_then(|cipher| cipher.decrypt(&body));
            body = plain.ok_or(Flaw::Corrupt("the payload cannot be decrypted"))?.into();
        }
        if flags & COMPRESSED != 0 {
            let plain = lz4_flex::block::decompress(&body, plain);
            body = plain.map_err(|_| Flaw::Corrupt("the payload does not decompress"))?.into();
        }
        if body.len() != plain {
            return Err(Flaw::Corrupt("the payload has another length"));
        }
        // Whoever can write a check can write anything: it goes into answers as it is.
        if !self.is_secret && serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_err() {
            return Err(Flaw::Corrupt("the payload is no JSON"));
        }
        let life = |millis| Duration::from_millis(millis).min(LONGEST_LIFE);
        let cost = Duration::from_micros(cost);
        Ok((Life { fresh: life(fresh), stale: life(stale), error: life(error), cost }, body))
    }

    fn check(&self, key: &Key, tags: &[TagId], value: &[u8]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(key.as_bytes()).update(&length(tags.len()).to_le_bytes());
        for tag in tags {
            hasher.update(tag.as_bytes());
        }
        hasher.update(value.get(..CHECK).unwrap_or_default());
        hasher.update(value.get(CHECKED..).unwrap_or_default());
        let mut check = [0; 16];
        hasher.finalize_xof().fill(&mut check);
        check
    }
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Flaw::Corrupt("too short"))?;
        self.0 = rest;
        Ok(*taken)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Lengths fit: no result is larger than a message may be.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cache::KeyWriter;

    const LIFE: Life = Life {
        fresh: Duration::from_secs(60),
        stale: Duration::from_secs(90),
        error: Duration::from_secs(3600),
        cost: Duration::from_millis(12),
    };

    fn key(number: u64) -> Key {
        KeyWriter::new(&[1; 32], "test", 1, 0).field("number", &number).finish().unwrap()
    }

    fn tags() -> Vec<TagId> {
        vec![TagId::tag("a"), TagId::tag("b")]
    }

    fn marks(marks: &[u64]) -> Marks {
        Marks(marks.into())
    }

    fn sealer() -> Sealer {
        Sealer::new(&[7; 32], true, None)
    }

    fn sealed(body: &[u8]) -> Vec<u8> {
        sealer().seal(&key(1), &tags(), &marks(&[9, 0, 4]), &LIFE, body, true).unwrap()
    }

    fn open(value: Vec<u8>) -> Result<(Life, Bytes), Flaw> {
        sealer().open(&key(1), &tags(), &marks(&[9, 0, 4]), &value.into(), 1 << 20)
    }

    #[test]
    fn a_value_is_read_as_it_was_written() {
        for size in [0, 1, 2000, 100_000] {
            let body = vec![b'7'; size];
            let value = sealed(&body);
            assert_eq!(value.len() < size, size > 5000, "large ones are compressed");
            assert_eq!(open(value), Ok((LIFE, body.into())));
        }
    }

    #[test]
    fn p35_a_value_of_another_call_or_secret_is_none() {
        let corrupt = Err(Flaw::Corrupt("the check does not fit"));
        let value = Bytes::from(sealed(b"1"));
        let all = marks(&[9, 0, 4]);
        assert_eq!(sealer().open(&key(2), &tags(), &all, &value, 9), corrupt);
        let others = [TagId::tag("a"), TagId::tag("c")];
        assert_eq!(sealer().open(&key(1), &others, &all, &value, 9), corrupt);
        assert_eq!(Sealer::new(&[8; 32], true, None).open(&key(1), &tags(), &all, &value, 9), corrupt);
    }

    #[cfg(feature = "encryption")]
    #[test]
    fn a_private_value_is_read_only_by_those_who_share_the_secret() {
        let with = |secret: [u8; 32]| Sealer::new(&[7; 32], true, Cipher::new(&secret));
        let (sealer, marks) = (with([1; 32]), marks(&[9]));
        for body in [&b"the canary"[..], &[b'7'; 9000]] {
            let seal = |is_private| sealer.seal(&key(1), &[], &marks, &LIFE, body, is_private).unwrap();
            let contains = |value: &[u8]| value.windows(10).any(|window| window == &body[..10]);
            let (private, public) = (seal(true), seal(false));
            assert!(!contains(&private) && (contains(&public) || body.len() > 1000));
            assert_ne!(private, seal(true), "no two are the same");
            let private = Bytes::from(private);
            let opened = sealer.open(&key(1), &[], &marks, &private, 1 << 20);
            assert_eq!(opened, Ok((LIFE, Bytes::copy_from_slice(body))));
            let cannot = Err(Flaw::Corrupt("the payload cannot be decrypted"));
            assert_eq!(with([2; 32]).open(&key(1), &[], &marks, &private, 1 << 20), cannot);
            assert_eq!(
                super::Sealer::new(&[7; 32], true, None).open(&key(1), &[], &marks, &private, 1 << 20),
                cannot
            );
        }
    }

    #[test]
    fn a_value_whose_marks_have_changed_is_outdated() {
        for now in [&[9, 0, 5][..], &[9, 1, 4], &[8, 0, 4], &[9, 0], &[]] {
            let opened = sealer().open(&key(1), &tags(), &marks(now), &sealed(b"1").into(), 9);
            assert_eq!(opened, Err(Flaw::Outdated), "{now:?}");
        }
    }

    #[test]
    fn p36_a_bomb_is_refused_before_it_is_inflated() {
        let value = sealed(&vec![b' '; 1 << 20]);
        assert!(value.len() < 10_000);
        let opened = sealer().open(&key(1), &tags(), &marks(&[9, 0, 4]), &value.into(), 1 << 16);
        assert_eq!(opened, Err(Flaw::Corrupt("larger than results of this component may be")));
    }

    #[test]
    fn p36_what_anybody_could_have_written_must_be_json() {
        let open_to_all = Sealer::new(&[7; 32], false, None);
        let deep = "[".repeat(100_000);
        for (body, is_json) in [("{\"a\":[1]}", true), ("{\"a\":", false), (&*deep, false), ("", false)] {
            let value = open_to_all.seal(&key(1), &[], &marks(&[1]), &LIFE, body.as_bytes(), false).unwrap();
            let opened = open_to_all.open(&key(1), &[], &marks(&[1]), &value.into(), 1 << 20);
            assert_eq!(opened.is_ok(), is_json);
        }
    }

    proptest! {
        #[test]
        fn p35_no_change_to_a_value_goes_unnoticed(at: prop::sample::Index, bit in 0_u8..8, size in 0_usize..9000, cut: bool) {
            let mut value = sealed(&vec![b'7'; size]);
            let at = at.index(value.len());
            if cut {
                value.truncate(at);
            } else {
                value[at] ^= 1 << bit;
            }
            prop_assert!(open(value).is_err());
        }

        #[test]
        fn p35_noise_is_no_value(noise: Vec<u8>) {
            prop_assert!(open(noise).is_err());
        }
    }
}
