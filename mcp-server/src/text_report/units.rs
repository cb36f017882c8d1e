//! Numbers as people write them, with three digits.

pub(crate) use mcp_core::profile::human as time;

use mcp_core::profile::digits;

/// Returns a size in bytes with its unit, of 1,024 each.
pub(crate) fn bytes(bytes: f64) -> String {
    match bytes {
        ..1024.0 => format!("{bytes:.0} B"),
        ..1_048_064.0 => format!("{} KiB", digits(bytes / 1024.0)),
        ..1_073_217_536.0 => format!("{} MiB", digits(bytes / 1_048_576.0)),
        _ => format!("{} GiB", digits(bytes / 1_073_741_824.0)),
    }
}

/// Returns a share in percent; what is not quite all, or not quite nothing, does not look like it.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p <= 0.0 => "0".to_owned(),
        p if p < 0.05 => "<0.1".to_owned(),
        100.0 => "100".to_owned(),
        99.95..100.0 => "99.9".to_owned(),
        p if p >= 999.5 => format!("{p:.0}"),
        p => format!("{p:.1}"),
    }
}

/// Returns how many there are of something of which there may be a fraction.
pub(crate) fn number(value: f64) -> String {
    match value {
        v if v <= 0.0 => "0".to_owned(),
        ..0.05 => "<0.1".to_owned(),
        ..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Returns a count with its noun, `one` where it is 1.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_never_a_thousand_of_a_unit() {
        let sizes = [0.0, 1023.0, 1024.0, 1_048_100.0, 5e9].map(bytes);
        assert_eq!(sizes, ["0 B", "1023 B", "1.00 KiB", "1.00 MiB", "4.66 GiB"]);
    }

    #[test]
    fn one_failure_in_a_million_is_not_all_well() {
        let shares = [0.0, 0.000_001, 0.5, 0.999_999, 1.0, 12.5].map(percent);
        assert_eq!(shares, ["0", "<0.1", "50.0", "99.9", "100", "1250"]);
        assert_eq!([0.0, 0.01, 2.55, 123.4].map(number), ["0", "<0.1", "2.5", "123"]);
    }
}
