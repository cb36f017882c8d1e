//! Times as people write them, with three digits.

/// Returns a time in nanoseconds with its unit.
pub fn human(nanos: u64) -> String {
    let value = nanos as f64;
    // What would be rounded to 1000 is written in the next unit.
    match value {
        ..1e3 => format!("{nanos} ns"),
        ..999.5e3 => format!("{} µs", digits(value / 1e3)),
        ..999.5e6 => format!("{} ms", digits(value / 1e6)),
        _ => format!("{} s", digits(value / 1e9)),
    }
}

/// Returns a value with three digits, and more where it is larger.
pub fn digits(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_never_a_thousand_of_a_unit() {
        let times = [0, 999, 1_000, 12_345, 999_499, 999_501, 999_600_000, 61_000_000_000].map(human);
        assert_eq!(times, ["0 ns", "999 ns", "1.00 µs", "12.3 µs", "999 µs", "1.00 ms", "1.00 s", "61.0 s"]);
    }
}
