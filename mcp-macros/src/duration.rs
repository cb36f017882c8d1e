//! `"300s"` to milliseconds and `"10KB"` to bytes, with the mistake's place inside the literal.

use std::ops::Range;

/// What is wrong, and where in the text.
pub(crate) type Mistake = (Range<usize>, String);

const DURATIONS: &[(&str, u64)] =
    &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Reads a duration such as `250ms`, in milliseconds.
///
/// # Errors
///
/// Fails without a unit, at zero, and beyond a hundred years.
pub(crate) fn duration(text: &str) -> Result<u64, Mistake> {
    const CENTURY: u64 = 100 * 365 * 86_400_000;
    quantity(
        text,
        &Words { what: "duration", example: "300s", others: "`ms`, `m`, `h`, `d`" },
        DURATIONS,
        CENTURY,
    )
}

/// Reads a size such as `1MiB`, in bytes.
///
/// # Errors
///
/// Fails without a unit, at zero, and beyond a terabyte.
pub(crate) fn size(text: &str) -> Result<u64, Mistake> {
    quantity(
        text,
        &Words { what: "size", example: "10KB", others: "`B`, `KiB`, `MB`, `MiB`, `GiB`" },
        SIZES,
        1 << 40,
    )
}

struct Words {
    what: &'static str,
    example: &'static str,
    others: &'static str,
}

fn quantity(text: &str, words: &Words, units: &[(&str, u64)], most: u64) -> Result<u64, Mistake> {
    let Words { what, example, others } = words;
    let whole = 0..text.len();
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'_').count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    if number.is_empty() {
        return Err((
            whole,
            format!("`{text}` is no {what}: write a number and a unit, as in `\"{example}\"`"),
        ));
    }
    let unit = unit.trim_start();
    let span = text.len() - unit.len()..text.len();
    if unit.is_empty() {
        let suffix = example.trim_start_matches(|letter: char| letter.is_ascii_digit());
        return Err((
            whole,
            format!("{what} `{text}` has no unit: write `\"{text}{suffix}\"` (or {others})"),
        ));
    }
    if unit.starts_with(['.', ',']) {
        return Err((span, format!("{what} `{text}` is not whole: write it in a smaller unit")));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let known: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
        let known = crate::errors::listed(&known, "or");
        return Err((span, format!("unknown unit `{unit}` in {what} `{text}`: write {known}")));
    };
    let total = number.replace('_', "").parse::<u64>().ok().and_then(|number| number.checked_mul(*factor));
    match total {
        Some(0) => Err((whole, format!("{what} `{text}` is zero: write more, or leave the option out"))),
        Some(total) if total <= most => Ok(total),
        _ => Err((whole, format!("{what} `{text}` is too large"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn durations() {
        for (text, ms) in
            [("300s", 300_000), ("250ms", 250), ("5m", 300_000), ("1h", 3_600_000), ("1d", 86_400_000)]
        {
            assert_eq!(duration(text), Ok(ms), "{text}");
        }
        assert_eq!(duration("1_000 ms"), Ok(1000));
    }

    #[test]
    fn mistaken_durations() {
        for (text, range, message) in [
            ("300", 0..3, "duration `300` has no unit: write `\"300s\"` (or `ms`, `m`, `h`, `d`)"),
            ("300sec", 3..6, "unknown unit `sec` in duration `300sec`: write `ms`, `s`, `m`, `h` or `d`"),
            ("1.5s", 1..4, "duration `1.5s` is not whole: write it in a smaller unit"),
            ("0s", 0..2, "duration `0s` is zero: write more, or leave the option out"),
            ("soon", 0..4, "`soon` is no duration: write a number and a unit, as in `\"300s\"`"),
            ("", 0..0, "`` is no duration: write a number and a unit, as in `\"300s\"`"),
            ("99999999999999999999s", 0..21, "duration `99999999999999999999s` is too large"),
            ("999999999d", 0..10, "duration `999999999d` is too large"),
        ] {
            assert_eq!(duration(text), Err((range, message.to_owned())), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [("1MiB", 1 << 20), ("10KB", 10_000), ("5B", 5), ("2GiB", 2 << 30)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        assert_eq!(
            size("10"),
            Err((
                0..2,
                "size `10` has no unit: write `\"10KB\"` (or `B`, `KiB`, `MB`, `MiB`, `GiB`)".to_owned()
            ))
        );
    }

    #[test]
    fn any_text_is_answered() {
        let mut random = Random::new(7);
        for _ in 0..20_000 {
            let text = random.text("0123456789_ .smhdKMGiB\u{e9}\u{1f980}", 12);
            for result in [duration(&text), size(&text)] {
                if let Err((range, _)) = result {
                    assert!(text.get(range).is_some(), "{text:?}");
                }
            }
        }
    }
}
