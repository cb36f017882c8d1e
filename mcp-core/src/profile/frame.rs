//! What one run of a component does, written while it runs.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::allocator::Allocated;
use super::counter::{Counter, Writer};
use super::measured::Measured;
use super::notes::Notes;
use super::poll::{Seat, Threads};
use super::sql::Queries;
use super::ticks;

/// One run of a component: when it reached what, how much of what it used, and what its author noted.
///
/// The run writes it, and whoever wants to know what a call does that has not ended reads it.
#[derive(Default)]
pub struct Frame {
    /// Whose run it is, for statements: kind and name.
    pub(super) component: (&'static str, &'static str),
    pub(super) measured: Option<Arc<Measured>>,
    /// The run of a component that called this one.
    pub(super) parent: Option<Arc<Frame>>,
    pub(super) times: Times,
    /// On the threads of the runtime.
    pub(super) polls: Meter,
    /// On the pool of threads for what blocks.
    pub(super) blocking: Meter,
    /// What components that were called in its polls allocated.
    pub(super) inner: Meter,
    /// The poll that is under way: since when, and what its thread had allocated.
    open: Open,
    /// The same of a thread that blocks.
    open_blocking: Open,
    /// Whether the processor time of each poll is taken.
    pub(super) sampled: bool,
    /// Whether the component has long polls, as far as is known: then what they waited for a processor is taken as well.
    pub(super) known_long: bool,
    pub(super) notes: Mutex<Notes>,
    pub(super) queries: Queries,
    /// How many statements there were: a look that takes no lock.
    pub(super) statements: Counter,
    /// Where the run is watched while it waits, plus one; 0: it is not.
    pub(super) slot: Counter,
    /// Whether it was said to hang.
    pub(super) told: Counter,
}

/// When a run reached what, in nanoseconds of the profiler's clock; 0: not yet.
#[derive(Debug, Default)]
pub(super) struct Times {
    pub(super) called: Counter,
    pub(super) decoded: Counter,
    pub(super) looked: Counter,
    pub(super) begun: Counter,
    pub(super) entered: Counter,
    pub(super) returned: Counter,
    pub(super) ended: Counter,
}

/// How much of what was used; one thread writes it at a time.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) busy: Counter,
    pub(super) polls: Counter,
    pub(super) longest: Counter,
    pub(super) last: Counter,
    pub(super) bytes: Counter,
    pub(super) allocations: Counter,
    pub(super) cpu: Counter,
    /// The busy time of which `cpu` is known, less what of it is known to be waiting for a processor.
    pub(super) cpu_busy: Counter,
}

impl Meter {
    /// Adds a poll; `own` is what of it was not spent in components that it called.
    pub(super) fn add(&self, writer: Writer, busy: u64, own: u64, allocated: Allocated) {
        self.busy.add(writer, busy);
        self.polls.add(writer, 1);
        self.last.set(own);
        if own > self.longest.get() {
            self.longest.set(own);
        }
        self.bytes.add(writer, allocated.bytes);
        self.allocations.add(writer, allocated.count);
    }

    pub(super) fn add_cpu(&self, writer: Writer, cpu: u64, busy: u64) {
        self.cpu.add(writer, cpu);
        self.cpu_busy.add(writer, busy);
    }
}

#[derive(Debug, Default)]
struct Open {
    since: AtomicU64,
    bytes: AtomicU64,
}

impl Open {
    fn since(&self) -> Option<u64> {
        Some(self.since.load(Relaxed)).filter(|since| *since > 0)
    }
}

/// How many frames a thread keeps for runs to come.
const KEPT: usize = 16;

thread_local! {
    static FREE: RefCell<Vec<Arc<Frame>>> = const { RefCell::new(Vec::new()) };
    static CURRENT: RefCell<Option<Arc<Frame>>> = const { RefCell::new(None) };
}

impl Frame {
    /// Returns the run whose poll is under way on this thread.
    pub fn current() -> Option<Arc<Self>> {
        Self::with_current(Arc::clone)
    }

    /// Makes a frame that is of no server's component, and notes its statements in what is given.
    pub fn new(name: &'static str, queries: Queries) -> Arc<Self> {
        let frame = Self { component: ("", name), queries, ..Self::default() };
        frame.times.called.set(ticks::now());
        Arc::new(frame)
    }

    /// Makes this the current frame of the thread until what is returned is dropped.
    pub fn enter(self: &Arc<Self>) -> Current {
        Current { outer: Self::replace_current(Some(Arc::clone(self))) }
    }

    /// Does something with the run whose poll is under way on this thread; nothing of the user's.
    pub(super) fn with_current<T>(look: impl FnOnce(&Arc<Self>) -> T) -> Option<T> {
        CURRENT.try_with(|current| current.borrow().as_ref().map(look)).ok().flatten()
    }

    /// Sets whose poll is under way on this thread; returns whose was before.
    pub(super) fn replace_current(frame: Option<Arc<Self>>) -> Option<Arc<Self>> {
        CURRENT.try_with(|current| current.replace(frame)).ok().flatten()
    }

    /// Takes a frame for a run of a component.
    pub(super) fn take(measured: &Arc<Measured>) -> Arc<Self> {
        let kept = FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten();
        let mut frame = kept.unwrap_or_default();
        // Nobody else has it: it came from `give_back`, or is new.
        if let Some(frame) = Arc::get_mut(&mut frame) {
            if !frame.measured.as_ref().is_some_and(|old| Arc::ptr_eq(old, measured)) {
                frame.component = (measured.def.kind.word(), measured.def.name);
                frame.measured = Some(Arc::clone(measured));
            }
            frame.parent = Self::current();
        }
        frame
    }

    /// Gives a frame back that its run or its call does not need any more.
    pub(super) fn give_back(mut self: Arc<Self>) {
        // The last who has it: others may look at it still, as a statement on another thread.
        if let Some(frame) = Arc::get_mut(&mut self) {
            frame.renew();
            let _ = FREE.try_with(|free| {
                let mut free = free.borrow_mut();
                if free.len() < KEPT {
                    free.push(self);
                }
            });
        }
    }

    /// Makes it as if it were new, but for its component.
    fn renew(&mut self) {
        self.parent = None;
        self.times = Times::default();
        self.polls = Meter::default();
        self.blocking = Meter::default();
        self.inner = Meter::default();
        self.slot = Counter::new();
        self.told = Counter::new();
        self.notes.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        if self.statements.get() > 0 {
            self.statements = Counter::new();
            self.queries = Queries::default();
        }
    }

    /// Notes that a poll begins; returns what its thread has allocated before, and how busy inner runs were.
    pub(super) fn open(&self, threads: Threads, at: u64) -> (Allocated, u64) {
        if self.times.begun.get() == 0 {
            self.times.begun.set(at);
        }
        if threads == Threads::Runtime {
            Seat::take_up(self, at);
        }
        let allocated = Allocated::now();
        let open = self.opened(threads);
        open.bytes.store(allocated.bytes, Relaxed);
        open.since.store(at, Relaxed);
        (allocated, self.inner.busy.get())
    }

    /// Notes that the poll has ended.
    pub(super) fn close(&self, threads: Threads) {
        self.opened(threads).since.store(0, Relaxed);
    }

    fn opened(&self, threads: Threads) -> &Open {
        match threads {
            Threads::Runtime => &self.open,
            Threads::Blocking => &self.open_blocking,
        }
    }

    /// Returns since when a poll is under way.
    pub(super) fn polled_since(&self) -> Option<u64> {
        self.open.since()
    }

    /// Returns the busy time so far; what is under way counts.
    pub(super) fn busy_at(&self, now: u64) -> u64 {
        let since = self.under_way().and_then(Open::since);
        self.polls.busy.get() + self.blocking.busy.get() + since.map_or(0, |since| now.saturating_sub(since))
    }

    /// Returns the bytes allocated so far, asked from within its poll or its thread that blocks.
    pub(super) fn bytes_within(&self) -> u64 {
        let since = self.under_way().map(|open| open.bytes.load(Relaxed));
        let more = since.map_or(0, |since| Allocated::now().bytes.wrapping_sub(since));
        self.polls.bytes.get() + self.blocking.bytes.get() + more
    }

    /// While a thread blocks, the run waits for it.
    fn under_way(&self) -> Option<&Open> {
        [&self.open_blocking, &self.open].into_iter().find(|open| open.since().is_some())
    }

    /// Returns the nanoseconds since the call began.
    pub(super) fn since_called(&self, at: u64) -> u64 {
        at.saturating_sub(self.times.called.get())
    }

    /// Changes what is noted about the run.
    pub(super) fn note<T>(&self, change: impl FnOnce(&mut Notes) -> T) -> T {
        change(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that the run whose poll is under way has its place, and its function begins.
    pub fn entered() {
        Self::with_current(|frame| frame.times.entered.set(ticks::now()));
    }

    /// Notes that the run whose poll is under way has returned from its function.
    pub(crate) fn returned() {
        Self::with_current(|frame| frame.times.returned.set(ticks::now()));
    }
}

/// Restores the frame that was current before.
#[derive(Debug)]
#[must_use = "the frame is current until this is dropped"]
pub struct Current {
    outer: Option<Arc<Frame>>,
}

impl Drop for Current {
    fn drop(&mut self) {
        Frame::replace_current(self.outer.take());
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.measured.as_ref().map(|measured| measured.def.name);
        f.debug_struct("Frame").field("component", &name).finish_non_exhaustive()
    }
}
