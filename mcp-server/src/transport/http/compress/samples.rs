//! Payloads for the tests, and decoders that stop after one member or frame.

use std::io::{Read as _, Write as _};

use flate2::bufread::GzDecoder;
use proptest::collection::vec;
use proptest::prelude::*;
use zstd::Decoder;

use super::encoding::Encoding;

/// An endless row of random numbers, the same for the same seed (xorshift; the seed is not zero).
pub(super) fn noise(mut seed: u64) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        Some(seed)
    })
}

/// Bytes that do not compress.
pub(super) fn random(len: usize) -> Vec<u8> {
    noise(0x9e37_79b9_7f4a_7c15).map(|random| (random >> 32) as u8).take(len).collect()
}

/// The beginning of a list of records.
pub(super) fn json(len: usize) -> Vec<u8> {
    let mut json = b"[".to_vec();
    for (number, random) in noise(1).enumerate() {
        if json.len() > len {
            break;
        }
        let state = if random % 3 == 0 { "open" } else { "closed" };
        let (title, votes) = (["crash at start", "a typo", "no answer"][random as usize % 3], random % 50);
        writeln!(
            json,
            r#"{{"number":{number},"title":"{title}","state":"{state}","votes":{votes},"id":"{random:x}"}},"#
        )
        .unwrap();
    }
    json.truncate(len);
    json
}

/// Payloads of a few kinds of bytes, repeated near and far.
pub(super) fn repetitive() -> impl Strategy<Value = Vec<u8>> {
    let run = (vec(any::<u8>(), 1..30), 1..300_usize).prop_map(|(bytes, times)| bytes.repeat(times));
    let text = "[ -~é]{0,600}".prop_map(String::into_bytes);
    let parts = vec(prop_oneof![run, text, vec(any::<u8>(), 0..600)], 0..6);
    (parts, 1..3_usize).prop_map(|(parts, times)| parts.concat().repeat(times))
}

/// Inflates one gzip member or zstd frame, which nothing may follow.
pub(super) fn read(encoding: Encoding, mut sent: &[u8]) -> Vec<u8> {
    let mut inflated = Vec::new();
    match encoding {
        Encoding::Gzip => GzDecoder::new(&mut sent).read_to_end(&mut inflated).unwrap(),
        Encoding::Zstd => {
            Decoder::with_buffer(&mut sent).unwrap().single_frame().read_to_end(&mut inflated).unwrap()
        }
    };
    assert!(sent.is_empty(), "{} bytes follow the {encoding:?}", sent.len());
    inflated
}
