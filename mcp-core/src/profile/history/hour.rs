//! Hours of the calendar, in UTC.

/// An hour, counted from the first of 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(u64);

impl Hour {
    /// Returns the hour of a time in milliseconds since 1970.
    pub const fn of(unix_ms: u64) -> Self {
        Self(unix_ms / 3_600_000)
    }

    /// Returns the hour so many hours before.
    #[must_use]
    pub const fn before(self, hours: u64) -> Self {
        Self(self.0.saturating_sub(hours))
    }

    /// Returns when it begins, in milliseconds since 1970.
    pub const fn begins_ms(self) -> u64 {
        self.0 * 3_600_000
    }
}

/// Writes it as `2026112409`: year, month, day, hour.
impl std::fmt::Display for Hour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": civil_from_days.
        let days = self.0 / 24 + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        write!(f, "{year:04}{month:02}{day:02}{:02}", self.0 % 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_have_dates() {
        let text = |seconds: u64| Hour::of(seconds * 1000).to_string();
        assert_eq!(text(0), "1970010100");
        assert_eq!(text(951_868_799), "2000022923");
        assert_eq!(text(951_868_800), "2000030100");
        assert_eq!(text(4_107_542_399), "2100022823");
        assert_eq!(text(4_107_542_400), "2100030100");
    }
}
