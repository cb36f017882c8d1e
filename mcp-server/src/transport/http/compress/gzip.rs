//! Gzip (RFC 1952): one member made of three pieces.

use std::io::{self, Write as _};
use std::mem;

use bytes::Bytes;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// A quarter smaller than level 1 on JSON, at half its speed; level 3 gains a twentieth more for a third of
/// that.
const LEVEL: Compression = Compression::new(2);

/// Deflate, no name, no time, the fastest algorithm, an unknown system (RFC 1952, section 2.3).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// The longest stored block (RFC 1951, section 3.2.4).
const LONGEST_STORED: usize = 0xffff;

/// A payload as deflate blocks that begin and end at a byte and refer to nothing before them.
pub(crate) struct Gzip {
    blocks: Bytes,
    crc: Crc,
}

impl Gzip {
    pub(super) fn new(payload: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(payload);
        Self { blocks: blocks(payload).into(), crc }
    }

    pub(super) const fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn splice(&self, head: &[u8], tail: &[u8]) -> [Bytes; 3] {
        let mut crc = Crc::new();
        crc.update(head);
        crc.combine(&self.crc);
        crc.update(tail);

        let mut front = Vec::with_capacity(HEADER.len() + stored_len(head));
        front.extend_from_slice(&HEADER);
        store(&mut front, head);
        let mut back = Vec::with_capacity(stored_len(tail) + 13);
        store(&mut back, tail);
        back.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
        back.extend_from_slice(&crc.sum().to_le_bytes());
        back.extend_from_slice(&crc.amount().to_le_bytes());
        [front.into(), self.blocks.clone(), back.into()]
    }
}

fn blocks(payload: &[u8]) -> Vec<u8> {
    if payload.is_empty() {
        return Vec::new();
    }
    let mut blocks = deflated(payload).unwrap_or_else(|_| {
        let mut stored = Vec::with_capacity(stored_len(payload));
        store(&mut stored, payload);
        stored
    });
    blocks.shrink_to_fit();
    blocks
}

/// Compresses up to a sync flush, which ends at a byte; the encoder's own end is left behind.
fn deflated(payload: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(payload.len() / 2), LEVEL);
    encoder.write_all(payload)?;
    encoder.flush()?;
    Ok(mem::take(encoder.get_mut()))
}

fn store(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.chunks(LONGEST_STORED) {
        let len = chunk.len() as u16;
        out.push(0);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(chunk);
    }
}

const fn stored_len(bytes: &[u8]) -> usize {
    bytes.len() + 5 * bytes.len().div_ceil(LONGEST_STORED)
}
