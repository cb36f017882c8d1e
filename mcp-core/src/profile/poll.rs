//! The polls of a run: each is timed, and knows what it allocated.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::allocator::Allocated;
use super::counter::Writer;
use super::frame::{Frame, Meter};
use super::here::{Begun, Here};
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
        match self.frame.take() {
            None => Pin::new(&mut self.future).poll(cx),
            Some(frame) => self.poll_for(frame, cx),
        }
    }
}

impl<F: Future + Unpin> Profiled<F> {
    fn poll_for(&mut self, frame: Arc<Frame>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if frame.times.begun.get() == 0
            && let Some(span) = frame.span()
        {
            self.span = Some(span);
        }
        let span = self.span.as_ref().map(tracing::Span::enter);
        let mut entered = Entered::new(Work::Own);
        self.frame = entered.open(frame);
        let polled = Pin::new(&mut self.future).poll(cx);
        let left = entered.close();
        drop(span);
        let Some((frame, now)) = left else { return polled };
        if polled.is_pending() {
            frame.waits();
            self.frame = Some(frame);
        } else {
            frame.end(now);
        }
        polled
    }
}

impl<F> Drop for Profiled<F> {
    fn drop(&mut self) {
        if let Some(frame) = self.frame.take() {
            frame.end(ticks::now());
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
    within(frame, Work::Blocking, run)
}

/// Does some work as a part of a run, if there is one, elsewhere than in its own polls.
pub(super) fn within<T>(frame: Option<Arc<Frame>>, work: Work, run: impl FnOnce() -> T) -> T {
    let Some(frame) = frame else { return run() };
    let mut entered = Entered::new(work);
    drop(entered.open(frame));
    let value = run();
    entered.close();
    value
}

/// Where a run is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// In its own polls.
    Own,
    /// On a thread that blocks, which the run waits for.
    Blocking,
    /// In the polls of another task, beside it.
    Task,
    /// On another thread, beside it.
    Thread,
}

impl Work {
    /// Returns whether the run waits while it is done.
    fn is_awaited(self) -> bool {
        matches!(self, Self::Own | Self::Blocking)
    }
}

/// A poll that is under way; stays where it is, as moving it takes longer than filling it in.
struct Entered {
    is_open: bool,
    work: Work,
    /// The run that is interrupted by this one, and how its poll began.
    outer: Option<Arc<Frame>>,
    outer_begun: Begun,
    cpu: Option<Cpu>,
}

impl Entered {
    #[inline]
    fn new(work: Work) -> Self {
        Self { is_open: false, work, outer: None, outer_begun: Begun::default(), cpu: None }
    }

    /// Begins; gives the frame back where the thread is about to end, and nothing can be noted.
    fn open(&mut self, frame: Arc<Frame>) -> Option<Arc<Frame>> {
        if frame.wants_cpu(self.work) {
            self.cpu = Cpu::now(frame.known_long);
        }
        let mut frame = Some(frame);
        // A thread that comes here first allocates for it, before it is asked what it has allocated.
        Here::with(|here| {
            let Some(frame) = frame.take() else { return };
            let at = ticks::now();
            let is_own = self.work == Work::Own;
            if is_own {
                here.seat.take_up(frame.number, at);
            }
            if self.work.is_awaited() {
                frame.open(self.work, at);
            }
            self.outer = here.replace(Some(frame));
            if self.outer.is_some() {
                self.outer_begun = here.begun();
            }
            here.begin(Begun { at, allocated: Allocated::now(), nested: here.nested(), is_own });
            self.is_open = true;
        });
        frame
    }

    /// Returns whose poll it was, and when it ended; `None` where it did not begin.
    fn close(&mut self) -> Option<(Arc<Frame>, u64)> {
        if !std::mem::take(&mut self.is_open) {
            return None;
        }
        Here::with(|here| {
            let (now, begun) = (ticks::now(), here.begun());
            let busy = now.saturating_sub(begun.at);
            let allocated = Allocated::now().since(begun.allocated);
            let outer = self.outer.take();
            let nested = here.nested().since(begun.nested);
            if let Some(outer) = &outer {
                let Begun { at, is_own, .. } = self.outer_begun;
                here.seat.take_up(outer.number, if is_own { at } else { 0 });
                here.begin(self.outer_begun);
                here.nest(begun.nested.and(busy, allocated));
            } else {
                here.seat.leave();
            }
            let frame = here.replace(outer)?;
            // What components did that were called in it is theirs.
            let (own, allocated) = (busy.saturating_sub(nested.busy), allocated.since(nested.allocated));
            let (meter, writer) = match self.work {
                Work::Own => (&frame.polls, Writer::One),
                _ => (&frame.others, Writer::Any),
            };
            meter.add(writer, own, allocated);
            if nested.busy > 0 {
                frame.nested.add(Writer::Any, nested.busy);
            }
            if self.work == Work::Task {
                frame.task_poll.raise(own);
            }
            if let Some((cpu, delayed)) = self.cpu.as_ref().and_then(Cpu::since) {
                meter.add_cpu(writer, cpu, busy.saturating_sub(delayed).max(cpu.min(busy)));
            }
            if self.work.is_awaited() {
                frame.close(self.work);
            }
            Some((frame, now))
        })
        .flatten()
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // The function panicked: what was interrupted goes on as it was. Work on other threads is a part of a run,
        // which ends where it is polled.
        let left = self.close();
        if let (Work::Own, Some((frame, now))) = (self.work, left) {
            frame.end(now);
        }
    }
}

impl Frame {
    fn wants_cpu(&self, work: Work) -> bool {
        let few = |meter: &Meter| meter.polls.get() < SAMPLED_POLLS || meter.last.get() >= LONG;
        self.sampled
            && match work {
                Work::Own => few(&self.polls),
                Work::Task => few(&self.others),
                Work::Blocking | Work::Thread => true,
            }
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
