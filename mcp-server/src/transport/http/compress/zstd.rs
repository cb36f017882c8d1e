//! Zstandard (RFC 8878): one frame made of three pieces.

use std::io;

use bytes::Bytes;
use zstd::bulk::Compressor;

/// Level 3 takes up to twice as long, for a tenth less on repetitive JSON and a tenth more on random records.
const LEVEL: i32 = 1;

/// The largest block (RFC 8878, section 3.1.1.2.4).
pub(super) const BLOCK: usize = 1 << 17;

/// The magic number, a descriptor with nothing optional, and the window (RFC 8878, section 3.1.1.1).
const HEADER_LEN: usize = 6;

/// A window of 2^(10 + 7) bytes: a block, which may not be larger than the window.
const ONE_BLOCK: u8 = 7 << 3;

const LAST: u32 = 1;

/// A payload as blocks that may stand after raw blocks, and before them.
///
/// They begin a frame of their own, so the first one uses no table from before, and no offsets but the first
/// three. Raw blocks leave those as they are (RFC 8878, section 3.1.1.5).
pub(crate) struct Zstd {
    /// How far back the blocks refer, in the header's words: at most 512 KiB, which is level 1's own choice.
    window: u8,
    blocks: Bytes,
}

impl Zstd {
    pub(super) fn new(payload: &[u8]) -> Self {
        compressed(payload).unwrap_or_else(|| {
            let mut raw = Vec::with_capacity(raw_len(payload));
            store(&mut raw, payload);
            Self { window: ONE_BLOCK, blocks: raw.into() }
        })
    }

    pub(super) const fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn splice(&self, head: &[u8], tail: &[u8]) -> [Bytes; 3] {
        let mut front = Vec::with_capacity(HEADER_LEN + raw_len(head));
        front.extend_from_slice(&[0x28, 0xb5, 0x2f, 0xfd, 0, self.window]);
        store(&mut front, head);
        let mut back = Vec::with_capacity(raw_len(tail) + 3);
        store(&mut back, tail);
        back.extend_from_slice(&LAST.to_le_bytes()[..3]);
        [front.into(), self.blocks.clone(), back.into()]
    }
}

/// Compresses a payload; none where the encoder fails.
fn compressed(payload: &[u8]) -> Option<Zstd> {
    let mut frame = frame(payload).ok()?;
    let (&mut [.., 0, window], blocks) = frame.split_first_chunk_mut::<HEADER_LEN>()? else {
        return None;
    };
    continue_after(blocks)?;
    frame.shrink_to_fit();
    Some(Zstd { window: window.max(ONE_BLOCK), blocks: Bytes::from(frame).slice(HEADER_LEN..) })
}

fn frame(payload: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressor = Compressor::new(LEVEL)?;
    // Without it, and a checksum, which is off by default, the header has its shortest form.
    compressor.include_contentsize(false)?;
    compressor.compress(payload)
}

/// Marks the last block of a frame as one that others follow; none where there is no such block.
fn continue_after(mut blocks: &mut [u8]) -> Option<()> {
    const RLE: u32 = 1;

    loop {
        let (header, rest) = blocks.split_first_chunk_mut()?;
        let [a, b, c] = *header;
        let fields = u32::from_le_bytes([a, b, c, 0]);
        let (kind, size) = ((fields >> 1) & 3, (fields >> 3) as usize);
        let rest = rest.get_mut(if kind == RLE { 1 } else { size }..)?;
        if fields & LAST == LAST {
            header[0] ^= LAST as u8;
            return rest.is_empty().then_some(());
        }
        blocks = rest;
    }
}

fn store(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.chunks(BLOCK) {
        out.extend_from_slice(&((chunk.len() as u32) << 3).to_le_bytes()[..3]);
        out.extend_from_slice(chunk);
    }
}

const fn raw_len(bytes: &[u8]) -> usize {
    bytes.len() + 3 * bytes.len().div_ceil(BLOCK)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn json_compresses() {
        let json = samples::json(600_000);
        let blocks = compressed(&json).unwrap().blocks;
        assert!(blocks.len() * 3 < json.len(), "{} of {}", blocks.len(), json.len());
    }

    #[test]
    fn a_small_body_asks_for_a_small_window() {
        for (size, exponent) in [(0, 7), (3000, 7), (1 << 17, 7), (1 << 18, 8), (1 << 20, 9), (3 << 20, 9)] {
            let [front, ..] = Zstd::new(&samples::json(size)).splice(b"", b"");
            assert_eq!(front[5], exponent << 3, "{size}");
        }
    }

    #[test]
    fn only_the_last_block_is_marked() {
        const RAW: [u8; 4] = [1 << 3, 0, 0, b'x'];
        const RLE: [u8; 4] = [2, 0, 16, b'x'];
        const END: [u8; 4] = [(1 << 3) | 5, 0, 0, b'x'];

        let read = |blocks: &[[u8; 4]]| {
            let mut blocks = blocks.concat();
            continue_after(&mut blocks).map(|()| blocks)
        };
        let continued = [(1 << 3) | 4, 0, 0, b'x'];
        assert_eq!(read(&[RAW, RLE, END]), Some([RAW, RLE, continued].concat()));
        assert_eq!(read(&[RAW, RLE]), None, "no block is the last");
        assert_eq!(read(&[END, RAW]), None, "more follows the last");
        assert_eq!(read(&[RAW, [2 << 3, 0, 0, b'x']]), None, "a block is cut off");
    }
}
