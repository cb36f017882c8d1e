//! The clock of the profiler: nanoseconds since it was first asked.
//!
//! [`Instant::now`] costs 30 to 45 ns, the processor's counter 11. Where the kernel itself tells the time by
//! that counter it is steady, and one second after the start it is known how fast it counts; until then, and
//! elsewhere, `Instant` is asked. Nothing is spun for, as calibration at the start would be.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// For how long the counter is watched before it is trusted.
const WATCHED: Duration = Duration::from_secs(1);

static START: OnceLock<Start> = OnceLock::new();
static SCALE: OnceLock<Scale> = OnceLock::new();

#[derive(Clone, Copy)]
struct Start {
    at: Instant,
    counter: Option<u64>,
}

/// How the counter becomes time: nanoseconds for each tick, times 2^32.
#[derive(Clone, Copy)]
struct Scale {
    counter: u64,
    nanos: u64,
    factor: u64,
}

/// Returns the nanoseconds since the first call in this process.
#[inline]
pub fn now() -> u64 {
    #[cfg(test)]
    if let Some(nanos) = fake::read() {
        return nanos;
    }
    match (SCALE.get(), counter()) {
        (Some(scale), Some(counter)) => {
            let ticks = u128::from(counter.saturating_sub(scale.counter));
            scale.nanos + ((ticks * u128::from(scale.factor)) >> 32) as u64
        }
        _ => by_instant(),
    }
}

#[cold]
fn by_instant() -> u64 {
    nanos(start().at.elapsed())
}

/// Returns a duration in nanoseconds.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Finds out how fast the counter counts, once it has been watched for long enough.
///
/// The profiler calls it every second.
pub(crate) fn calibrate() {
    let start = start();
    if SCALE.get().is_some() || start.at.elapsed() < WATCHED {
        return;
    }
    let (Some(first), (at, Some(counter))) = (start.counter, both()) else { return };
    if counter > first {
        let nanos = nanos(at.saturating_duration_since(start.at));
        let factor = (u128::from(nanos) << 32) / u128::from(counter - first);
        let _ = SCALE.set(Scale { counter, nanos, factor: u64::try_from(factor).unwrap_or(u64::MAX) });
    }
}

/// Returns whether times come from the processor's counter, one second after the start.
pub fn trusts_counter() -> bool {
    start().counter.is_some()
}

fn start() -> Start {
    *START.get_or_init(|| {
        let is_steady = is_steady();
        let (at, counter) = both();
        Start { at, counter: counter.filter(|_| is_steady) }
    })
}

/// Returns one moment on both clocks, to within what a look at one of them takes.
fn both() -> (Instant, Option<u64>) {
    // A thread that is interrupted between two looks tries again: the first is soon, most of the time.
    let look = || {
        let before = counter();
        let at = Instant::now();
        (counter().zip(before).map_or(0, |(after, before)| after.saturating_sub(before)), at, before)
    };
    let looks = std::iter::repeat_with(look).take(5);
    let (_, at, counter) =
        looks.min_by_key(|(apart, ..)| *apart).unwrap_or_else(|| (0, Instant::now(), None));
    (at, counter)
}

/// Returns whether the kernel tells the time by the counter, which it does where all processors agree on it.
fn is_steady() -> bool {
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    cfg!(target_arch = "x86_64") && std::fs::read_to_string(source).is_ok_and(|name| name.trim() == "tsc")
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instruction has no safe form")]
#[inline]
fn counter() -> Option<u64> {
    // SAFETY: every x86-64 has the instruction, and it reads nothing but the counter.
    Some(unsafe { core::arch::x86_64::_rdtsc() })
}

#[cfg(not(target_arch = "x86_64"))]
fn counter() -> Option<u64> {
    None
}

/// A clock that a test moves by hand, for its own thread, and that counts who looks.
#[cfg(test)]
pub(super) mod fake {
    use std::cell::Cell;

    thread_local! {
        static NOW: Cell<Option<u64>> = const { Cell::new(None) };
        static READS: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) fn read() -> Option<u64> {
        READS.set(READS.get() + 1);
        NOW.get()
    }

    /// Stops the clock of this thread at a time.
    pub(crate) fn set(nanos: u64) {
        NOW.set(Some(nanos));
    }

    pub(crate) fn advance(nanos: u64) {
        NOW.set(Some(NOW.get().unwrap_or(0) + nanos));
    }

    /// Returns how often this thread asked for the time.
    pub(crate) fn reads() -> u64 {
        READS.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_goes_on_where_the_instant_was() {
        let (first, begun) = (now(), Instant::now());
        std::thread::sleep(Duration::from_millis(1100));
        calibrate();
        let (took, real) = (now() - first, nanos(begun.elapsed()));
        assert!(took.abs_diff(real) < real / 1000, "{took} and {real}");
        if is_steady() {
            assert!(SCALE.get().is_some());
        }
        let times: Vec<_> = (0..1000).map(|_| now()).collect();
        assert!(times.is_sorted());
    }
}
