//! Request bodies that come compressed.

use std::fmt;
use std::io::{self, Write};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::{HeaderValue, StatusCode};
use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;

use super::encoding::Encoding;
use super::zstd::BLOCK;

/// The window that a sender may count on, and may not exceed: 8 MiB (RFC 9659, section 3).
const LARGEST_WINDOW_LOG: u32 = 23;

/// What a byte of deflate inflates to at most (<https://zlib.net/zlib_tech.html>).
const GZIP_RATIO: usize = 1032;

/// What a byte of zstd inflates to at most: blocks of four bytes are 128 KiB of one byte.
const ZSTD_RATIO: usize = BLOCK / 4;

/// Why a body cannot be read.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Inflate {
    /// It comes in another coding, or in several.
    Unknown(String),
    /// It is not what its coding says, or not all of it.
    Corrupt(Encoding),
    /// It is, or says that it is, more than so many bytes.
    TooLarge(usize),
}

impl Inflate {
    /// Returns the status to answer with.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Unknown(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Corrupt(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

impl fmt::Display for Inflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(coding) => {
                write!(f, "unknown content encoding `{coding}`: send one of `{}`, or none", Encoding::KNOWN)
            }
            Self::Corrupt(encoding) => write!(f, "the body is not valid {}, or cut off", encoding.word()),
            Self::TooLarge(limit) => write!(f, "the body inflates to more than {limit} bytes"),
        }
    }
}

impl std::error::Error for Inflate {}

/// Returns a body as it was before its coding.
///
/// It may be `limit` bytes. Takes no more memory than that and, for zstd, a window of at most 8 MiB with half
/// a MiB of buffers. Without a coding, the body is handed back whatever its size.
///
/// # Errors
///
/// [`Inflate`], each with its status. A zstd frame with a larger window than 8 MiB is too large.
pub(crate) fn inflate(
    content_encoding: Option<&HeaderValue>,
    body: Bytes,
    limit: usize,
) -> Result<Bytes, Inflate> {
    let word = content_encoding.map_or(b"".as_slice(), HeaderValue::as_bytes).trim_ascii();
    if word.is_empty() || word.eq_ignore_ascii_case(b"identity") {
        return Ok(body);
    }
    let word = String::from_utf8_lossy(word);
    let encoding = Encoding::parse(&word).ok_or_else(|| Inflate::Unknown(word.into_owned()))?;
    let ratio = match encoding {
        Encoding::Gzip => GZIP_RATIO,
        Encoding::Zstd => ZSTD_RATIO,
    };
    let mut inflated = Inflated::new(body.len().saturating_mul(ratio), limit);
    let read = match encoding {
        Encoding::Gzip => io::copy(&mut MultiGzDecoder::new(&*body), &mut inflated),
        Encoding::Zstd => unzstd(&body, &mut inflated),
    };
    match read {
        Ok(_) => Ok(inflated.into()),
        Err(error) if is_too_large(&error) => Err(Inflate::TooLarge(limit)),
        Err(_) => Err(Inflate::Corrupt(encoding)),
    }
}

/// Reads every frame of a body.
fn unzstd(body: &[u8], inflated: &mut Inflated) -> io::Result<u64> {
    if zstd::decompressed_size(body).is_some_and(|size| size > inflated.room() as u64) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut decoder = zstd::Decoder::with_buffer(body)?;
    decoder.window_log_max(LARGEST_WINDOW_LOG)?;
    io::copy(&mut decoder, inflated)
}

/// Tells a body that exceeds its limit, or zstd's window, from one that cannot be read.
fn is_too_large(error: &io::Error) -> bool {
    let from_zstd = error.get_ref().and_then(|source| source.downcast_ref::<zstd::Error>());
    error.kind() == io::ErrorKind::FileTooLarge
        || from_zstd.is_some_and(|error| error.is(ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge))
}

/// What was inflated so far, never more than the limit.
struct Inflated {
    bytes: Vec<u8>,
    limit: usize,
}

impl Inflated {
    /// Sets aside what there may be at most: what is never written to takes addresses, not memory.
    ///
    /// Growing takes up to twice the limit, for the old bytes and the new ones: only where the addresses run
    /// out.
    fn new(most: usize, limit: usize) -> Self {
        let mut bytes = Vec::new();
        _ = bytes.try_reserve_exact(most.min(limit));
        Self { bytes, limit }
    }

    const fn room(&self) -> usize {
        self.limit - self.bytes.len()
    }
}

impl Write for Inflated {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if more.len() > self.room() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<Inflated> for Bytes {
    fn from(mut inflated: Inflated) -> Self {
        inflated.bytes.shrink_to_fit();
        inflated.bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::Compression;
    use flate2::read::GzEncoder;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::packed::{Packed, whole};
    use super::super::samples;
    use super::*;

    const LIMIT: usize = 10 << 20;

    fn read(coding: &str, body: impl Into<Bytes>, limit: usize) -> Result<Bytes, Inflate> {
        inflate(Some(&HeaderValue::from_str(coding).unwrap()), body.into(), limit)
    }

    fn gzip(bytes: impl io::Read) -> Vec<u8> {
        let mut zipped = Vec::new();
        GzEncoder::new(bytes, Compression::best()).read_to_end(&mut zipped).unwrap();
        zipped
    }

    /// A frame with a window and a checksum.
    fn zstd(mut bytes: impl io::Read) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.include_checksum(true).unwrap();
        io::copy(&mut bytes, &mut encoder).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_body_without_a_coding_passes() {
        let body = Bytes::from_static(b"as it is");
        let passed = inflate(None, body.clone(), 1).unwrap();
        assert_eq!(passed.as_ptr(), body.as_ptr());
        for coding in ["identity", "Identity", " identity ", ""] {
            assert_eq!(read(coding, body.clone(), 1).unwrap(), body);
        }
    }

    #[test]
    fn what_others_compress_is_read() {
        for json in [0, 1, 1000, 70_000, 300_000].map(samples::json) {
            for coding in ["gzip", "x-gzip", "GZip"] {
                assert!(read(coding, gzip(&json[..]), LIMIT).unwrap() == json);
            }
            assert!(read("zstd", zstd(&json[..]), LIMIT).unwrap() == json);
            // A single segment, which says its size.
            assert!(read("zstd", zstd::bulk::compress(&json, 19).unwrap(), LIMIT).unwrap() == json);
        }
    }

    #[test]
    fn what_is_written_here_is_read() {
        let json = samples::json(200_000);
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let sent = Packed::new(encoding, &json).splice(b"[", b"]").concat();
            assert!(read(encoding.word(), sent, LIMIT).unwrap() == [b"[", &json[..], b"]"].concat());
        }
    }

    #[test]
    fn members_and_frames_follow_each_other() {
        let two = [gzip(&b"one"[..]), gzip(&b"two"[..])].concat();
        assert_eq!(read("gzip", two, LIMIT).unwrap(), "onetwo");
        let skipped = [&0x184d_2a5f_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"???"].concat();
        let two = [&skipped[..], &zstd(&b"one"[..]), &skipped, &zstd(&b"two"[..]), &skipped].concat();
        assert_eq!(read("zstd", two, LIMIT).unwrap(), "onetwo");
    }

    #[test]
    fn other_codings_are_named() {
        for coding in ["br", "deflate", "gzip, gzip", "gzip,identity", "zstd;q=1"] {
            let error = read(coding, "", LIMIT).unwrap_err();
            assert_eq!(error, Inflate::Unknown(coding.into()));
            assert_eq!(error.status(), 415);
            assert!(error.to_string().ends_with("send one of `zstd, gzip`, or none"), "{error}");
        }
        let error = inflate(Some(&HeaderValue::from_bytes(b"\xff").unwrap()), Bytes::new(), 1).unwrap_err();
        assert_eq!(error.status(), 415);
    }

    #[test]
    fn what_is_cut_off_or_not_that_coding_is_corrupt() {
        let json = samples::json(2000);
        for (coding, encoding, sent) in [
            ("gzip", Encoding::Gzip, whole(Encoding::Gzip, &[json.clone().into()]).to_vec()),
            ("gzip", Encoding::Gzip, gzip(&json[..])),
            ("zstd", Encoding::Zstd, whole(Encoding::Zstd, &[json.clone().into()]).to_vec()),
            ("zstd", Encoding::Zstd, zstd(&json[..])),
        ] {
            for len in 0..sent.len() {
                let error = read(coding, sent[..len].to_vec(), LIMIT).unwrap_err();
                assert_eq!(error, Inflate::Corrupt(encoding), "{len} of {}", sent.len());
                assert_eq!(error.status(), 400);
            }
            for after in ["x", "more than a header"] {
                let sent = [&sent[..], after.as_bytes()].concat();
                assert_eq!(read(coding, sent, LIMIT), Err(Inflate::Corrupt(encoding)));
            }
        }
        let mut sum = zstd(&json[..]);
        *sum.last_mut().unwrap() ^= 1;
        assert_eq!(read("zstd", sum, LIMIT), Err(Inflate::Corrupt(Encoding::Zstd)));
    }

    #[test]
    fn the_limit_is_exact() {
        let json = samples::json(200_000);
        for (coding, sent) in [("gzip", gzip(&json[..])), ("zstd", zstd(&json[..]))] {
            assert!(read(coding, sent.clone(), json.len()).is_ok());
            let error = read(coding, sent, json.len() - 1).unwrap_err();
            assert_eq!(error, Inflate::TooLarge(json.len() - 1));
            assert_eq!(error.status(), 413);
        }
    }

    /// A GiB of zeros each.
    #[test]
    fn bombs_stop_at_the_limit() {
        let [start, mebibyte, _] = Packed::new(Encoding::Gzip, &vec![0; 1 << 20]).splice(b"", b"");
        let gzip = [&start[..], &mebibyte.repeat(1 << 10)].concat();
        // Blocks of one byte, repeated 128 KiB times.
        let [start, ..] = Packed::new(Encoding::Zstd, b"").splice(b"", b"");
        let zstd = [&start[..], &[2, 0, 16, 0].repeat(1 << 13)].concat();
        for (coding, bomb) in [("gzip", gzip), ("zstd", zstd)] {
            assert!(bomb.len() < 2 << 20);
            assert_eq!(read(coding, bomb, LIMIT), Err(Inflate::TooLarge(LIMIT)));
        }
    }

    #[test]
    fn no_more_than_the_limit_is_set_aside_or_kept() {
        let mut inflated = Inflated::new(usize::MAX, 100_000);
        let error = io::copy(&mut io::repeat(0), &mut inflated).unwrap_err();
        assert!(is_too_large(&error) && inflated.bytes.capacity() == 100_000);

        let mut small = Inflated::new(GZIP_RATIO, 100_000);
        small.write_all(b"small").unwrap();
        assert_eq!(small.bytes.capacity(), GZIP_RATIO);
        let kept = Vec::from(Bytes::from(small));
        assert!(kept.capacity() < 100, "{}", kept.capacity());

        let mut grows = Inflated::new(usize::MAX, usize::MAX);
        grows.write_all(b"more addresses than there are").unwrap();
    }

    #[test]
    fn what_says_that_it_is_too_large_is_refused() {
        let magic = 0xfd2f_b528_u32.to_le_bytes();
        let frame = |descriptor: &[u8]| [&magic, descriptor, &[1, 0, 0]].concat();
        let too_large = |limit| Err(Inflate::TooLarge(limit));
        // A window of 2^(10 + 13) bytes, and one that is an eighth larger.
        assert_eq!(read("zstd", frame(&[0, 13 << 3]), 1000).unwrap(), "");
        assert_eq!(read("zstd", frame(&[0, (13 << 3) + 1]), LIMIT), too_large(LIMIT));
        assert_eq!(read("zstd", frame(&[0, 0xff]), LIMIT), too_large(LIMIT));
        // A single segment, whose window is its size.
        let sized = |size: u64| frame(&[&[0xe0][..], &size.to_le_bytes()].concat());
        assert_eq!(read("zstd", sized((8 << 20) + 1), LIMIT), too_large(LIMIT));
        assert_eq!(read("zstd", sized(u64::MAX), LIMIT), too_large(LIMIT));
        assert_eq!(read("zstd", sized(1001), 1000), too_large(1000));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn anything_may_come(bytes in vec(any::<u8>(), 0..300), limit in 0..100_000_usize) {
            let magic = 0xfd2f_b528_u32.to_le_bytes();
            let gzip = [&[0x1f, 0x8b, 8, 0][..], &bytes].concat();
            let zstd = [&magic[..], &bytes].concat();
            for body in [bytes, gzip, zstd] {
                for coding in ["gzip", "zstd"] {
                    if let Ok(inflated) = read(coding, body.clone(), limit) {
                        prop_assert!(inflated.len() <= limit);
                    }
                }
            }
        }

        #[test]
        fn flipped_bits_do_no_harm(
            payload in samples::repetitive(),
            flips in vec((any::<prop::sample::Index>(), 0..8_u8), 1..6),
        ) {
            for (coding, mut body) in [("gzip", gzip(&payload[..])), ("zstd", zstd(&payload[..]))] {
                for (at, bit) in &flips {
                    let at = at.index(body.len());
                    body[at] ^= 1 << bit;
                }
                if let Ok(inflated) = read(coding, body, LIMIT) {
                    prop_assert!(inflated.len() <= LIMIT);
                }
            }
        }
    }
}
