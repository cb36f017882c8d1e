//! How many wrong tokens are answered as if they were mistakes.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many wrong tokens there may be in one [`SPAN`], of whomever they are.
const MOST: u32 = 10;

/// How long wrong tokens are counted together.
const SPAN: Duration = Duration::from_secs(60);

/// The wrong tokens of late.
///
/// All peers are counted as one: who guesses has as many addresses as it takes. So nothing of it may keep out
/// who has the right token.
#[derive(Debug, Default)]
pub(crate) struct Guesses(Mutex<Option<Wrong>>);

/// Since when there were how many.
#[derive(Debug)]
struct Wrong {
    since: Instant,
    tokens: u32,
}

impl Guesses {
    /// Counts a wrong token; returns for how long there were too many, where there were.
    pub(super) fn wrong(&self, now: Instant) -> Option<Duration> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = last.get_or_insert(Wrong { since: now, tokens: 0 });
        let left = SPAN.saturating_sub(now.saturating_duration_since(wrong.since));
        if left.is_zero() {
            *wrong = Wrong { since: now, tokens: 1 };
            return None;
        }
        wrong.tokens = wrong.tokens.saturating_add(1);
        if wrong.tokens == MOST + 1 {
            tracing::warn!("somebody guesses: {MOST} wrong admin tokens came within {SPAN:?}");
        }
        (wrong.tokens > MOST).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_a_minute_are_mistakes_and_more_are_guesses() {
        let (guesses, start) = (Guesses::default(), Instant::now());
        let at = |seconds: u64| guesses.wrong(start + Duration::from_secs(seconds));
        for second in 0..10 {
            assert_eq!(at(second), None, "{second}");
        }
        assert_eq!(at(10), Some(Duration::from_secs(50)));
        assert_eq!(at(59), Some(Duration::from_secs(1)));
        // The next minute begins with the next wrong token, be it much later.
        assert_eq!(at(60), None);
        assert_eq!((0..9).map(|_| at(600)).collect::<Vec<_>>(), [None; 9]);
    }
}
