//! A payload that was compressed once, and the answers made of it.

use bytes::Bytes;

use super::encoding::Encoding;
use super::gzip::Gzip;
use super::zstd::Zstd;

/// A compressed payload that can stand in any number of bodies.
pub(crate) enum Packed {
    Zstd(Zstd),
    Gzip(Gzip),
}

impl Packed {
    /// Compresses a payload.
    pub(crate) fn new(encoding: Encoding, payload: &[u8]) -> Self {
        match encoding {
            Encoding::Zstd => Self::Zstd(Zstd::new(payload)),
            Encoding::Gzip => Self::Gzip(Gzip::new(payload)),
        }
    }

    /// Returns a body that inflates to `head`, the payload and `tail`.
    ///
    /// Together the pieces are one gzip member or one zstd frame: Chromium ignores what follows a first
    /// member, and Python's `zstandard` what follows a first frame. The middle piece is this payload, shared;
    /// the head and the tail are not compressed.
    pub(crate) fn splice(&self, head: &[u8], tail: &[u8]) -> [Bytes; 3] {
        match self {
            Self::Zstd(zstd) => zstd.splice(head, tail),
            Self::Gzip(gzip) => gzip.splice(head, tail),
        }
    }

    /// How many bytes the compressed payload takes.
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Zstd(zstd) => zstd.len(),
            Self::Gzip(gzip) => gzip.len(),
        }
    }
}

/// Compresses a body that is sent once.
pub(crate) fn whole(encoding: Encoding, pieces: &[Bytes]) -> Bytes {
    let packed = match pieces {
        [piece] => Packed::new(encoding, piece),
        pieces => Packed::new(encoding, &pieces.concat()),
    };
    packed.splice(b"", b"").concat().into()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::samples::{self, read};
    use super::*;

    const BOTH: [Encoding; 2] = [Encoding::Gzip, Encoding::Zstd];

    fn check(head: &[u8], payload: &[u8], tail: &[u8]) {
        for encoding in BOTH {
            let sent = Packed::new(encoding, payload).splice(head, tail).concat();
            assert!(read(encoding, &sent) == [head, payload, tail].concat(), "{encoding:?}");
        }
    }

    #[test]
    fn every_size_comes_back() {
        let sizes = [0, 1, 2, 7, 8, 1000, 65_535, 65_536, 1 << 17, (1 << 17) + 1, (1 << 18) + 1, 1 << 20];
        for payload in sizes.map(samples::json) {
            check(br#"{"jsonrpc":"2.0","id":1,"result":"#, &payload, b"}");
        }
        for payload in sizes.map(samples::random) {
            check(br#"{"jsonrpc":"2.0","id":1,"result":"#, &payload, b"}");
        }
        for size in sizes {
            check(b"<", &vec![b'0'; size], b">");
        }
    }

    #[test]
    fn any_piece_may_be_empty_or_large() {
        let (small, large) = (samples::json(100), samples::random(140_000));
        for head in [&b""[..], &small, &large] {
            for payload in [&b""[..], &small, &large] {
                for tail in [&b""[..], &small, &large] {
                    check(head, payload, tail);
                }
            }
        }
    }

    #[test]
    fn pieces_are_sent_as_one() {
        let pieces = [Bytes::from_static(b"["), samples::json(150_000).into(), Bytes::from_static(b"]")];
        for encoding in BOTH {
            for count in 0..=pieces.len() {
                assert!(read(encoding, &whole(encoding, &pieces[..count])) == pieces[..count].concat());
            }
            assert!(whole(encoding, &pieces).len() * 3 < pieces[1].len());
        }
    }

    #[test]
    fn the_payload_is_shared() {
        for encoding in BOTH {
            let packed = Packed::new(encoding, &samples::json(10_000));
            let [one, other] = [packed.splice(b"1", b""), packed.splice(b"2", b"")];
            assert_eq!((one[1].as_ptr(), one[1].len()), (other[1].as_ptr(), packed.len()));
            assert_eq!(read(encoding, &one.concat())[1..], read(encoding, &other.concat())[1..]);
        }
    }

    #[test]
    fn json_takes_a_third() {
        for encoding in BOTH {
            let json = samples::json(60_000);
            let packed = Packed::new(encoding, &json);
            assert!(packed.len() * 3 < json.len(), "{encoding:?}: {}", packed.len());
            let random = samples::random(300_000);
            let packed = Packed::new(encoding, &random);
            assert!(packed.len() < random.len() + 200, "{encoding:?}: {}", packed.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn any_answer_comes_back(
            head in vec(any::<u8>(), 0..200),
            payload in samples::repetitive(),
            tail in vec(any::<u8>(), 0..50),
        ) {
            check(&head, &payload, &tail);
        }
    }
}
