//! The polls of a run: each is timed, and knows what it allocated.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use super::allocator::Allocated;
use super::counter::Writer;
use super::frame::{Frame, Meter};
use super::ticks;

/// How many polls of a run have their processor time taken, and after those each that follows a long one.
const SAMPLED_POLLS: u64 = 8;

/// From which busy time on a poll is long, in nanoseconds: its processor time is worth the question.
pub(super) const LONG: u64 = 1_000_000;

/// A future whose polls are written to a frame; without one it is the future and nothing more.
#[derive(Debug)]
pub struct Profiled<F> {
    future: F,
    frame: Option<Arc<Frame>>,
    span: Option<tracing::Span>,
}

impl<F: Future + Unpin> Profiled<F> {
    /// Watches a future for a frame, if there is one.
    pub fn new(future: F, frame: Option<Arc<Frame>>) -> Self {
        Self { future, frame, span: None }
    }
}

impl<F: Future + Unpin> Future for Profiled<F> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let Some(frame) = this.frame.take() else { return Pin::new(&mut this.future).poll(cx) };
        if frame.times.begun.get() == 0 {
            this.span = frame.span();
        }
        let span = this.span.as_ref().map(tracing::Span::enter);
        let entered = Entered::new(frame, Threads::Runtime);
        let polled = Pin::new(&mut this.future).poll(cx);
        let frame = entered.leave();
        drop(span);
        if polled.is_pending() {
            frame.waits();
            this.frame = Some(frame);
        } else {
            frame.end();
        }
        polled
    }
}

impl<F> Drop for Profiled<F> {
    fn drop(&mut self) {
        if let Some(frame) = self.frame.take() {
            frame.end();
        }
    }
}

#[cfg(test)]
impl Frame {
    /// Returns whether the processor time of a run is taken.
    pub(super) fn sampled<F>(run: &Profiled<F>) -> bool {
        run.frame.as_ref().is_some_and(|frame| frame.sampled)
    }
}

/// Runs a function that blocks, on another thread, as a part of a run.
pub(crate) fn blocking<T>(frame: Option<Arc<Frame>>, run: impl FnOnce() -> T) -> T {
    let Some(frame) = frame else { return run() };
    let entered = Entered::new(frame, Threads::Blocking);
    let value = run();
    entered.leave();
    value
}

/// Which threads a run is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    Runtime,
    Blocking,
}

/// A poll that is under way.
struct Entered {
    /// The run that is interrupted by this one.
    outer: Option<Arc<Frame>>,
    threads: Threads,
    cpu: Option<Cpu>,
    allocated: Allocated,
    /// How busy components called by this run had been.
    inner: u64,
    since: u64,
}

impl Entered {
    fn new(frame: Arc<Frame>, threads: Threads) -> Self {
        let cpu = if frame.wants_cpu(threads) { Cpu::now(frame.known_long) } else { None };
        let since = ticks::now();
        let outer = Frame::replace_current(Some(frame));
        // Last, for a thread that comes here first has to allocate for it.
        let opened = Frame::with_current(|frame| frame.open(threads, since));
        let (allocated, inner) = opened.unwrap_or_default();
        Self { outer, threads, cpu, allocated, inner, since }
    }

    fn leave(mut self) -> Arc<Frame> {
        let frame = self.close();
        std::mem::forget(self);
        frame.unwrap_or_default()
    }

    fn close(&mut self) -> Option<Arc<Frame>> {
        let busy = ticks::now().saturating_sub(self.since);
        let allocated = Allocated::now().since(self.allocated);
        let outer = self.outer.take();
        if let Some(outer) = &outer {
            outer.inner.add(Writer::Any, busy, busy, allocated);
            Seat::take_up(outer, outer.polled_since().unwrap_or(0));
        } else {
            Seat::leave();
        }
        let frame = Frame::replace_current(outer)?;
        // A poll is as long as this component made it.
        let own = busy.saturating_sub(frame.inner.busy.get().saturating_sub(self.inner));
        let (meter, writer) = match self.threads {
            Threads::Runtime => (&frame.polls, Writer::One),
            Threads::Blocking => (&frame.blocking, Writer::Any),
        };
        meter.add(writer, busy, own, allocated);
        if let Some((cpu, delayed)) = self.cpu.as_ref().and_then(Cpu::since) {
            meter.add_cpu(writer, cpu, busy.saturating_sub(delayed).max(cpu.min(busy)));
        }
        frame.close(self.threads);
        Some(frame)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // The function panicked: what interrupted goes on as it was. A thread that blocks is a part of a run, which
        // ends where it is polled.
        let frame = self.close();
        if let (Threads::Runtime, Some(frame)) = (self.threads, frame) {
            frame.end();
        }
    }
}

impl Frame {
    fn wants_cpu(&self, threads: Threads) -> bool {
        let meter: &Meter = &self.polls;
        self.sampled
            && (threads == Threads::Blocking || meter.polls.get() < SAMPLED_POLLS || meter.last.get() >= LONG)
    }
}

/// What a thread had of the processors, in nanoseconds.
struct Cpu {
    used: u64,
    /// How long it was ready and had none; known where the question is worth its price.
    delayed: Option<u64>,
}

impl Cpu {
    fn now(with_delays: bool) -> Option<Self> {
        Some(Self { used: thread_cpu()?, delayed: if with_delays { delayed() } else { None } })
    }

    /// Returns what was used since, and how long a processor was waited for.
    fn since(&self) -> Option<(u64, u64)> {
        let now = Self::now(self.delayed.is_some())?;
        let delayed = now.delayed.zip(self.delayed).map_or(0, |(now, before)| now.saturating_sub(before));
        Some((now.used.saturating_sub(self.used), delayed))
    }
}

/// Returns how long the current thread was ready to run and had no processor, in nanoseconds.
///
/// On a machine with more to do than it has processors, a thread that computes would else seem to wait. It
/// costs 3 µs: the kernel tells it in a file (`Documentation/scheduler/sched-stats.rst`).
#[cfg(target_os = "linux")]
fn delayed() -> Option<u64> {
    use std::io::Read as _;

    let mut text = [0; 64];
    let length = std::fs::File::open("/proc/thread-self/schedstat").ok()?.read(&mut text).ok()?;
    std::str::from_utf8(text.get(..length)?).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn delayed() -> Option<u64> {
    None
}

/// Returns the processor time that the current thread has used, in nanoseconds.
///
/// It costs 700 ns, as it asks the kernel.
#[cfg(unix)]
fn thread_cpu() -> Option<u64> {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).ok()
}

#[cfg(not(unix))]
fn thread_cpu() -> Option<u64> {
    None
}

/// What a thread does, for those who look from outside: a poll that never ends tells nobody.
#[derive(Debug, Default)]
pub(super) struct Seat {
    /// Since when a poll is under way; 0: none is.
    since: AtomicU64,
    /// The component, as [`Frame::number`] tells it.
    number: AtomicU64,
}

static SEATS: Mutex<Vec<Weak<Seat>>> = Mutex::new(Vec::new());

thread_local! {
    static SEAT: Arc<Seat> = Seat::register();
}

impl Seat {
    fn register() -> Arc<Self> {
        let seat = Arc::new(Self::default());
        let mut seats = SEATS.lock().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|seat| seat.strong_count() > 0);
        seats.push(Arc::downgrade(&seat));
        seat
    }

    pub(super) fn take_up(frame: &Frame, since: u64) {
        let _ = SEAT.try_with(|seat| {
            seat.number.store(frame.number(), Relaxed);
            seat.since.store(since, Relaxed);
        });
    }

    fn leave() {
        let _ = SEAT.try_with(|seat| seat.since.store(0, Relaxed));
    }

    /// Returns the components whose polls are under way, and since when.
    pub(super) fn all() -> Vec<(u64, u64)> {
        let seats = SEATS.lock().unwrap_or_else(PoisonError::into_inner);
        let seats = seats.iter().filter_map(Weak::upgrade);
        let polls = seats.map(|seat| (seat.number.load(Relaxed), seat.since.load(Relaxed)));
        polls.filter(|(_, since)| *since > 0).collect()
    }
}
