//! Which coding a request asks for, and which one it comes in.
//!
//! RFC 9110, sections 8.4.1 and 12.5.3.

use http::HeaderValue;

/// A content coding that bodies are written and read in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Encoding {
    /// RFC 8878, in the window of RFC 9659.
    Zstd,
    /// RFC 1952.
    Gzip,
}

/// The codings, the preferred one first.
const ALL: [Encoding; 2] = [Encoding::Zstd, Encoding::Gzip];

/// The weight of what is asked for without a `q`, in thousandths.
const FULL: u16 = 1000;

impl Encoding {
    /// What `Accept-Encoding` says beside a 415 (RFC 9110, section 15.5.16).
    pub(crate) const KNOWN: &'static str = "zstd, gzip";

    /// Returns the word for `Content-Encoding`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// Reads one word of `Content-Encoding` or `Accept-Encoding`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        // A recipient should take `x-gzip` for `gzip` (RFC 9110, section 8.4.1.3).
        let word = if word.eq_ignore_ascii_case("x-gzip") { "gzip" } else { word };
        ALL.into_iter().find(|encoding| word.eq_ignore_ascii_case(encoding.word()))
    }
}

/// Returns the coding that an `Accept-Encoding` likes best, if any.
///
/// None is the answer as it is, also where that is refused too: RFC 9110 leaves it open, and a 406 helps
/// nobody.
pub(crate) fn negotiate<'a>(accept_encoding: impl Iterator<Item = &'a HeaderValue>) -> Option<Encoding> {
    let mut asked = Asked::default();
    for value in accept_encoding.filter_map(|value| value.to_str().ok()) {
        value.split(',').for_each(|item| asked.read(item));
    }
    let (encoding, weight) = ALL
        .into_iter()
        .map(|encoding| (encoding, asked.weight(encoding)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    (weight > 0 && weight >= asked.identity).then_some(encoding)
}

#[derive(Default)]
struct Asked {
    by_name: [Option<u16>; ALL.len()],
    any: Option<u16>,
    /// Zero unless it is named: what nobody asks for comes after all that is.
    identity: u16,
}

impl Asked {
    fn read(&mut self, item: &str) {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.eq_ignore_ascii_case("q"))
            .map_or(FULL, |(_, value)| thousandths(value));
        if name == "*" {
            self.any = self.any.max(Some(weight));
        } else if name.eq_ignore_ascii_case("identity") {
            self.identity = self.identity.max(weight);
        } else if let Some(encoding) = Encoding::parse(name) {
            let named = &mut self.by_name[encoding as usize];
            *named = (*named).max(Some(weight));
        }
    }

    fn weight(&self, encoding: Encoding) -> u16 {
        self.by_name[encoding as usize].or(self.any).unwrap_or_default()
    }
}

/// Reads a weight of at most three decimals; what is none counts as not acceptable.
fn thousandths(value: &str) -> u16 {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return 0;
    }
    let part = format!("{decimals:0<3}").parse().unwrap_or(0);
    match whole {
        "0" => part,
        "1" if part == 0 => FULL,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(values: &[&str]) -> &'static str {
        let values: Vec<_> = values.iter().map(|value| HeaderValue::from_str(value).unwrap()).collect();
        negotiate(values.iter()).map_or("identity", Encoding::word)
    }

    #[test]
    fn the_liked_coding_is_chosen() {
        for (accept, coding) in [
            ("gzip", "gzip"),
            ("zstd", "zstd"),
            ("x-gzip", "gzip"),
            ("GZIP", "gzip"),
            ("gzip, deflate, br, zstd", "zstd"),
            ("gzip, deflate, br", "gzip"),
            ("zstd;q=0.5, gzip;q=0.8", "gzip"),
            ("zstd;q=0.8, gzip;q=0.8", "zstd"),
            ("zstd;q=0, gzip", "gzip"),
            ("gzip ; Q=0.001", "gzip"),
            ("gzip;q=1.000", "gzip"),
            ("gzip;q=0.", "identity"),
            ("gzip;q=0.9, x-gzip;q=0.1, zstd;q=0.5", "gzip"),
            ("*", "zstd"),
            ("*;q=0.1", "zstd"),
            ("zstd;q=0, *", "gzip"),
            ("zstd;q=0.2, *;q=0.5", "gzip"),
            ("gzip;q=0.5, *;q=0", "gzip"),
            ("identity;q=0, *", "zstd"),
            ("identity;q=0.5, gzip", "gzip"),
            ("identity, gzip", "gzip"),
            (",, gzip ,", "gzip"),
        ] {
            assert_eq!(chosen(&[accept]), coding, "{accept}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        assert_eq!(chosen(&["br", "gzip;q=0.5", "zstd;q=0.1"]), "gzip");
        assert_eq!(chosen(&["gzip;q=0.1", "x-gzip;q=0.9, zstd;q=0.5"]), "gzip");
    }

    #[test]
    fn otherwise_the_answer_stays_as_it_is() {
        assert_eq!(chosen(&[]), "identity");
        for accept in [
            "",
            "identity",
            "br, deflate",
            "gzip;q=0",
            "gzip;q=0.000, zstd;q=0",
            "*;q=0",
            "identity;q=0, *;q=0",
            "identity, gzip;q=0.5",
            "gzip;q=nan",
            "gzip;q=-1",
            "gzip;q=1.001",
            "gzip;q=2",
            "gzip;q=0.1234",
            "gzip;q=0.+5",
            "gzip;q=",
            "gzip2",
        ] {
            assert_eq!(chosen(&[accept]), "identity", "{accept}");
        }
        assert_eq!(negotiate([HeaderValue::from_bytes(b"gzip\xff").unwrap()].iter()), None);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for encoding in ALL {
            assert_eq!(Encoding::parse(encoding.word()), Some(encoding));
            assert!(ALL[encoding as usize] == encoding && Encoding::KNOWN.contains(encoding.word()));
        }
        assert_eq!(Encoding::parse("br"), None);
    }
}
