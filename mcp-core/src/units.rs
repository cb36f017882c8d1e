//! Durations and sizes as people write them.

use std::time::Duration;

/// Parses a duration such as `250ms`, `300s`, `5m`, `1h` or `7d`; a bare number is in seconds.
///
/// # Errors
///
/// Fails, saying what to write.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use mcp_core::units::duration;
///
/// assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
/// assert!(duration("5 parsecs").is_err());
/// ```
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text)
        .ok_or_else(|| format!("`{text}` is no duration: write `300s` (or `ms`, `m`, `h`, `d`)"))?;
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(format!("`{text}` has the unit `{unit}`: write `ms`, `s`, `m`, `h` or `d`")),
    };
    Duration::try_from_secs_f64(number * seconds).map_err(|_| format!("`{text}` is too long a duration"))
}

/// Parses a size such as `1024`, `10KB` (1,000 each) or `10MiB` (1,024 each).
///
/// # Errors
///
/// Fails, saying what to write.
///
/// # Examples
///
/// ```
/// use mcp_core::units::bytes;
///
/// assert_eq!((bytes("10MiB"), bytes("10kB")), (Ok(10 << 20), Ok(10_000)));
/// ```
pub fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text)
        .ok_or_else(|| format!("`{text}` is no size: write `10MiB` (or `KiB`, `GiB`, `KB`, `MB`)"))?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => {
            return Err(format!(
                "`{text}` has the unit `{unit}`: write `KiB`, `MiB`, `GiB`, `KB`, `MB` or `GB`"
            ));
        }
    };
    let size = number * factor as f64;
    // 2^53: what a float holds exactly, and more than any machine has.
    if size <= 9_007_199_254_740_992.0 {
        Ok(size as u64)
    } else {
        Err(format!("`{text}` is too large a size"))
    }
}

fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let digits = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    Some((number.replace('_', "").parse().ok()?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_duration_or_size_is_refused() {
        for text in ["", "s", "-1s", "1e9s", "1 fortnight", "99999999999999999999d", "1..2s", "NaN", "inf"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "MiB", "-1", "10 XB", "99999999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration(" 2 m "), Ok(Duration::from_secs(120)));
    }
}
