//! Text as JSON, many bytes at a time: results are text for the most part, and some are long.

/// How many bytes are looked at together: the compiler makes a few vector instructions of it.
const LANE: usize = 32;

/// Writes a text as a JSON string, with the escapes that `serde_json` writes.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 2);
    out.push(b'"');
    loop {
        let (plain, escaped) = rest.split_at(plain_length(rest));
        out.extend_from_slice(plain);
        let [byte, behind @ ..] = escaped else { break };
        escape(out, *byte);
        rest = behind;
    }
    out.push(b'"');
}

/// Returns how many bytes there are before the first that cannot stand for itself.
fn plain_length(bytes: &[u8]) -> usize {
    let is_plain = |lane: &&[u8]| !lane.iter().fold(false, |found, byte| found | is_escaped(*byte));
    let plain = LANE * bytes.chunks_exact(LANE).take_while(is_plain).count();
    let rest = bytes.iter().skip(plain).take_while(|byte| !is_escaped(**byte));
    plain + rest.count()
}

fn is_escaped(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let digit = |value: u8| b"0123456789abcdef"[usize::from(value & 15)];
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn ours(text: &str) -> String {
        let mut out = Vec::new();
        super::text(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_character_is_written_as_serde_json_writes_it() {
        for before in [0, 1, 31, 32, 33, 64] {
            for character in (0..0x3000).filter_map(char::from_u32).chain(['\u{10ffff}']) {
                let text = format!("{}{character}{character}z", "a".repeat(before));
                assert_eq!(ours(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_serde_json_writes_it(text in "(?s)[a-z\"\\\\\n\x00-\x1f\u{7f}é𝄞]{0,200}") {
            prop_assert_eq!(ours(&text), serde_json::to_string(&text).unwrap());
        }
    }
}
