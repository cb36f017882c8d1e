//! The last minute, five minutes and hour of a component, as differences between looks at its totals.

use std::collections::VecDeque;
use std::time::Duration;

use super::totals::Totals;

/// How long a slot of the last five minutes is.
pub const FINE: Duration = Duration::from_secs(5);

/// How long a slot of the last hour is.
pub const COARSE: Duration = Duration::from_secs(60);

/// How many slots of each length are kept.
pub const SLOTS: usize = 60;

/// What came in each slot of the last hour.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// The totals at the end of the last slot.
    last: Totals,
    fine: VecDeque<Slot>,
    coarse: VecDeque<Slot>,
    /// The minute that is not over, and since when.
    minute: Totals,
    minute_since: Duration,
    /// The longest poll since the history asked.
    #[cfg(feature = "redis")]
    longest_poll: u64,
}

/// What came in one slot.
#[derive(Debug)]
struct Slot {
    end: Duration,
    came: Totals,
}

/// Which span of time a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The last minute.
    Minute,
    /// The last five minutes.
    FiveMinutes,
    /// The last hour.
    Hour,
    /// All since the start.
    Start,
}

impl Span {
    /// All spans, the shortest first.
    pub const ALL: [Self; 4] = [Self::Minute, Self::FiveMinutes, Self::Hour, Self::Start];

    /// Returns how long it is; `None` where that grows.
    pub(super) fn length(self) -> Option<Duration> {
        match self {
            Self::Minute => Some(COARSE),
            Self::FiveMinutes => Some(FINE * SLOTS as u32),
            Self::Hour => Some(COARSE * SLOTS as u32),
            Self::Start => None,
        }
    }

    /// Returns the word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::Hour => "1h",
            Self::Start => "start",
        }
    }
}

impl Windows {
    /// Ends a slot; to be called every [`FINE`]. `now` is the time since the start, `longest_poll` that of the slot.
    pub(super) fn advance(&mut self, now: Duration, totals: Totals, longest_poll: u64) {
        let mut came = totals.since(&self.last);
        came.longest_poll = longest_poll;
        #[cfg(feature = "redis")]
        {
            self.longest_poll = self.longest_poll.max(longest_poll);
        }
        self.last = totals;
        self.minute.merge(&came);
        push(&mut self.fine, Slot { end: now, came });
        if now.saturating_sub(self.minute_since) >= COARSE {
            self.minute_since = now;
            push(&mut self.coarse, Slot { end: now, came: std::mem::take(&mut self.minute) });
        }
    }

    /// Returns the longest poll of the slots since the last time that this was asked.
    #[cfg(feature = "redis")]
    pub(super) fn take_longest_poll(&mut self) -> u64 {
        std::mem::take(&mut self.longest_poll)
    }

    /// Returns what came in a span up to now, and how long the span is.
    pub(super) fn window(
        &self,
        span: Span,
        now: Duration,
        totals: &Totals,
        recent_poll: u64,
    ) -> (Totals, Duration) {
        let Some(length) = span.length() else { return (totals.clone(), now) };
        let slots = if span == Span::Hour { &self.coarse } else { &self.fine };
        // What has come since the last slot ended.
        let mut came = totals.since(&self.last);
        came.longest_poll = recent_poll;
        if span == Span::Hour {
            came.merge(&self.minute);
        }
        let since = now.saturating_sub(length);
        // Whole slots: the span is as long as they are, give or take one.
        let covered = slots.iter().position(|slot| slot.end > since);
        slots.iter().skip(covered.unwrap_or(slots.len())).for_each(|slot| came.merge(&slot.came));
        let begin = match covered {
            Some(0) => Duration::ZERO,
            Some(first) => slots.get(first - 1).map_or(Duration::ZERO, |slot| slot.end),
            None => slots.back().map_or(Duration::ZERO, |slot| slot.end),
        };
        (came, now.saturating_sub(begin.max(since.saturating_sub(FINE))))
    }

    /// Returns the last slots of a length, oldest first, padded in front to [`SLOTS`]; and when the last ended.
    pub(super) fn slots(&self, length: Duration) -> (Vec<Option<&Totals>>, Duration) {
        let slots = if length == FINE { &self.fine } else { &self.coarse };
        let missing = SLOTS.saturating_sub(slots.len());
        let slots_then = slots.iter().map(|slot| Some(&slot.came));
        let end = slots.back().map_or(Duration::ZERO, |slot| slot.end);
        (std::iter::repeat_n(None, missing).chain(slots_then).collect(), end)
    }
}

fn push(slots: &mut VecDeque<Slot>, slot: Slot) {
    if slots.len() == SLOTS {
        slots.pop_front();
    }
    slots.push_back(slot);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(calls: u64) -> Totals {
        let mut totals = Totals::default();
        if calls > 0 {
            totals.count(0, calls);
        }
        totals
    }

    #[test]
    fn a_window_has_what_came_in_it() {
        let mut windows = Windows::default();
        let second = Duration::from_secs(1);
        // Ten calls a slot, for two hours.
        for slot in 1..=1440 {
            windows.advance(FINE * slot, totals(u64::from(slot) * 10), u64::from(slot));
        }
        let now = FINE * 1440 + second;
        let calls = |span| windows.window(span, now, &totals(14_403), 7).0.calls();
        assert_eq!(calls(Span::Minute), 12 * 10 + 3, "twelve whole slots, and what is new");
        assert_eq!(calls(Span::FiveMinutes), 60 * 10 + 3);
        assert_eq!(calls(Span::Hour), 60 * 120 + 3);
        assert_eq!(windows.window(Span::Minute, now, &totals(14_403), 7).1, COARSE + second);
        assert_eq!(calls(Span::Start), 14_403);
        assert_eq!(windows.fine.len() + windows.coarse.len(), 2 * SLOTS);
    }

    #[test]
    fn a_young_server_has_short_windows() {
        let mut windows = Windows::default();
        windows.advance(FINE, totals(7), 0);
        let (came, length) = windows.window(Span::Hour, Duration::from_secs(8), &totals(9), 0);
        assert_eq!((came.calls(), length), (9, Duration::from_secs(8)));
        let (slots, _) = windows.slots(FINE);
        assert_eq!((slots.len(), slots.iter().flatten().count()), (SLOTS, 1));
    }
}
