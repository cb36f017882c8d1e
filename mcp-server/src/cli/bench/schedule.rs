//! When calls begin: each when the one before is answered, or at a rate that does not wait for answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long after the end calls that are overdue are still begun, at most.
const OVERTIME: Duration = Duration::from_secs(10);

/// How much earlier than wanted a timer of the runtime is set: it is exact to a millisecond.
///
/// The clock of tests stands still while anything runs, and is exact.
const EARLY: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_micros(1_500) };

/// When calls begin.
pub(super) struct Schedule {
    pub(super) start: Instant,
    pub(super) end: Instant,
    pace: Pace,
}

enum Pace {
    /// As soon as the connection is free: a closed loop, whose calls wait for each other.
    Closed(AtomicU64),
    /// So many a second over all connections: an open loop, where a slow call delays none of the others' times.
    Open { rate: f64, next: Mutex<Next> },
}

#[derive(Default)]
struct Next {
    number: u64,
    late: Duration,
}

/// A call that is to be made now.
pub(super) struct Turn {
    pub(super) number: u64,
    /// When it was to begin, where there is a schedule: its time counts from then on.
    pub(super) intended: Option<Instant>,
}

/// How far calls fell behind their schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Behind {
    /// How late the last call was begun.
    pub(super) late: Duration,
    /// How many were not begun at all.
    pub(super) not_begun: u64,
}

impl Schedule {
    /// Begins now.
    pub(super) fn new(duration: Duration, rate: Option<f64>) -> Self {
        let start = Instant::now();
        let pace = match rate {
            None => Pace::Closed(AtomicU64::new(0)),
            Some(rate) => Pace::Open { rate, next: Mutex::default() },
        };
        Self { start, end: start + duration, pace }
    }

    /// Waits until a call is to begin; `None`: it is over.
    ///
    /// Of an open loop one connection waits at a time, the last moment without a timer, so that it keeps a
    /// processor busy: a timer would add a millisecond to each call.
    pub(super) async fn turn(&self) -> Option<Turn> {
        let (rate, next) = match &self.pace {
            Pace::Closed(next) => {
                let number = next.fetch_add(1, Ordering::Relaxed);
                // However short the time is, there is a first call.
                let open = number == 0 || Instant::now() < self.end;
                return open.then_some(Turn { number, intended: None });
            }
            Pace::Open { rate, next } => (*rate, next),
        };
        let mut next = next.lock().await;
        let length = self.end - self.start;
        let after = after(next.number, rate);
        let intended = self.start + after;
        if after >= length || Instant::now() >= self.end + length.min(OVERTIME) {
            return None;
        }
        until(intended).await;
        next.late = intended.elapsed();
        next.number += 1;
        Some(Turn { number: next.number - 1, intended: Some(intended) })
    }

    /// Returns in which of so many equal slices of time something began.
    pub(super) fn slice(&self, at: Instant, slices: usize) -> usize {
        let whole = (self.end - self.start).as_nanos().max(1);
        let part = at.saturating_duration_since(self.start).as_nanos();
        usize::try_from(part * slices as u128 / whole).map_or(slices - 1, |slice| slice.min(slices - 1))
    }

    /// Returns how far the calls fell behind; `None` where the schedule was kept, or there was none.
    pub(super) async fn behind(&self) -> Option<Behind> {
        let Pace::Open { rate, next } = &self.pace else { return None };
        let next = next.lock().await;
        let length = self.end - self.start;
        let all = calls(length, *rate);
        let behind = Behind { late: next.late, not_begun: all.saturating_sub(next.number) };
        // A hiccup at the very end is no rate that is too high.
        let much = (length / 20).max(Duration::from_millis(50));
        (behind.not_begun > 0 || behind.late > much).then_some(behind)
    }
}

/// Returns when a call of a rate is to begin.
fn after(number: u64, rate: f64) -> Duration {
    Duration::from_secs_f64(number as f64 / rate)
}

/// Returns how many calls begin within a time; what is rounded is rounded as for each of them.
fn calls(length: Duration, rate: f64) -> u64 {
    let mut calls = (length.as_secs_f64() * rate).ceil() as u64;
    while after(calls, rate) < length {
        calls += 1;
    }
    while calls > 0 && after(calls - 1, rate) >= length {
        calls -= 1;
    }
    calls
}

async fn until(at: Instant) {
    let early = at.checked_sub(EARLY).filter(|early| *early > Instant::now());
    if let Some(early) = early {
        tokio::time::sleep_until(early).await;
    }
    while Instant::now() < at {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_of_a_rate_are_those_whose_turn_comes() {
        for tens in 1..100 {
            for rate in [0.3, 3.0, 7.0, 10.0, 30.0, 99.9, 1_000.0, 1_100.0, 3_333.3] {
                let length = Duration::from_millis(tens * 10);
                let turns = (0..).take_while(|number| after(*number, rate) < length).count();
                assert_eq!(calls(length, rate), turns as u64, "{length:?} {rate}");
            }
        }
    }
}
