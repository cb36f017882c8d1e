//! What one run of a component does, written while it runs.

use std::sync::{Arc, Mutex, PoisonError};

use super::allocator::Allocated;
use super::counter::{Counter, Writer};
use super::here::{Begun, Here};
use super::measured::Measured;
use super::notes::Notes;
use super::poll::Work;
use super::sql::Queries;
use super::ticks;

/// One run of a component: when it reached what, how much of what it used, and what its author noted.
///
/// The run writes it, and whoever wants to know what a call does that has not ended reads it.
#[derive(Default)]
pub struct Frame {
    /// Whose run it is, for statements: kind and name.
    pub(super) component: (&'static str, &'static str),
    /// Whose run it is, for those who look from outside: the profiler, and which of its components.
    pub(super) number: u64,
    pub(super) measured: Option<Arc<Measured>>,
    /// The run of a component that called this one.
    pub(super) parent: Option<Arc<Frame>>,
    pub(super) times: Times,
    /// On the threads of the runtime.
    pub(super) polls: Meter,
    /// On other threads, and in other tasks.
    pub(super) others: Meter,
    /// How busy components were that it called in its polls.
    pub(super) nested: Counter,
    /// The longest poll of a task beside it.
    pub(super) task_poll: Counter,
    /// Since when a poll is under way; 0: none is.
    open: Counter,
    /// The same of a thread that blocks.
    open_blocking: Counter,
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
    /// How many runs that nobody measures are under way in its polls.
    unmeasured: Counter,
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
    /// Adds a poll.
    pub(super) fn add(&self, writer: Writer, busy: u64, allocated: Allocated) {
        self.busy.add(writer, busy);
        self.polls.add(writer, 1);
        self.last.set(busy);
        if busy > self.longest.get() {
            self.longest.set(busy);
        }
        self.bytes.add(writer, allocated.bytes);
        self.allocations.add(writer, allocated.count);
    }

    pub(super) fn add_cpu(&self, writer: Writer, cpu: u64, busy: u64) {
        self.cpu.add(writer, cpu);
        self.cpu_busy.add(writer, busy);
    }
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
        let outer = Here::with(|here| {
            let begun = here.begun();
            here.begin(Begun::default());
            (here.replace(Some(Arc::clone(self))), begun)
        });
        Current { outer: outer.unwrap_or_default() }
    }

    /// Does something with the run whose poll is under way on this thread; nothing of the user's.
    pub(super) fn with_current<T>(look: impl FnOnce(&Arc<Self>) -> T) -> Option<T> {
        Here::with(|here| here.current(look)).flatten()
    }

    /// Takes a frame for a run of a component, and gets it ready.
    pub(super) fn take(measured: &Arc<Measured>, ready: impl FnOnce(&mut Self)) -> Arc<Self> {
        let (mut frame, parent) =
            Here::with(|here| (here.take(), here.current(Arc::clone))).unwrap_or_default();
        // Nobody else has it: it came from `give_back`, or is new.
        if let Some(frame) = Arc::get_mut(&mut frame) {
            if !frame.measured.as_ref().is_some_and(|old| Arc::ptr_eq(old, measured)) {
                frame.component = (measured.def.kind.word(), measured.def.name);
                frame.number = u64::from(measured.shared.number) << 32 | u64::from(measured.number);
                frame.measured = Some(Arc::clone(measured));
            }
            frame.parent = parent;
            ready(frame);
        }
        frame
    }

    /// Takes [`number`](Self::number) apart.
    pub(super) fn of_number(number: u64) -> (u32, usize) {
        ((number >> 32) as u32, (number & u64::from(u32::MAX)) as usize)
    }

    /// Gives a frame back that its run or its call does not need any more.
    pub(super) fn give_back(mut self: Arc<Self>) {
        // Others may look at it still, as its call, or a statement on another thread: the last one keeps it. A look at
        // the count is cheaper than the question whether one is the only one.
        if Arc::strong_count(&self) == 1
            && let Some(frame) = Arc::get_mut(&mut self)
        {
            frame.renew();
            Here::with(|here| here.keep(self));
        }
    }

    /// Makes it as if it were new, but for its component.
    fn renew(&mut self) {
        self.parent = None;
        self.times = Times::default();
        self.polls = Meter::default();
        self.others = Meter::default();
        self.nested = Counter::new();
        self.task_poll = Counter::new();
        self.unmeasured = Counter::new();
        self.slot = Counter::new();
        self.told = Counter::new();
        self.notes.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        if self.statements.get() > 0 {
            self.statements = Counter::new();
            self.queries = Queries::default();
        }
    }

    /// Notes that a poll begins.
    pub(super) fn open(&self, work: Work, at: u64) {
        if self.times.begun.get() == 0 {
            self.times.begun.set(at);
        }
        self.opened(work).set(at);
    }

    /// Notes that the poll has ended.
    pub(super) fn close(&self, work: Work) {
        self.opened(work).set(0);
    }

    fn opened(&self, work: Work) -> &Counter {
        if work == Work::Blocking { &self.open_blocking } else { &self.open }
    }

    /// Returns since when a poll is under way.
    pub(super) fn polled_since(&self) -> Option<u64> {
        Some(self.open.get()).filter(|since| *since > 0)
    }

    /// Returns whether the run is over, and what it used is written.
    pub(super) fn has_ended(&self) -> bool {
        self.times.ended.get() > 0
    }

    /// Returns the busy time so far; what is under way counts.
    pub(super) fn busy_at(&self, now: u64) -> u64 {
        // While a thread blocks, the run waits for it.
        let since = [&self.open_blocking, &self.open].map(Counter::get).into_iter().find(|since| *since > 0);
        self.busy() + since.map_or(0, |since| now.saturating_sub(since))
    }

    /// Returns the busy time so far, but for what is under way; that of components that it called counts.
    pub(super) fn busy(&self) -> u64 {
        self.polls.busy.get() + self.others.busy.get() + self.nested.get()
    }

    /// Returns the longest poll, of its own or of a task beside it.
    pub(super) fn longest_poll(&self) -> u64 {
        self.polls.longest.get().max(self.task_poll.get())
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
        Self::with_current(|frame| {
            // One that is not measured, called by this one.
            if frame.times.entered.get() > 0 {
                frame.unmeasured.add(Writer::One, 1);
                return;
            }
            // Who got it in the first poll did not wait for it.
            let waited = frame.polls.polls.get() > 0;
            frame.times.entered.set(if waited { ticks::now() } else { frame.times.begun.get() });
        });
    }

    /// Notes that the run whose poll is under way has returned from its function.
    pub fn returned() {
        Self::with_current(|frame| match frame.unmeasured.get() {
            0 => frame.times.returned.set(ticks::now()),
            others => frame.unmeasured.set(others - 1),
        });
    }
}

/// Restores the frame that was current before.
#[derive(Debug)]
#[must_use = "the frame is current until this is dropped"]
pub struct Current {
    outer: (Option<Arc<Frame>>, Begun),
}

impl Drop for Current {
    fn drop(&mut self) {
        let (outer, begun) = std::mem::take(&mut self.outer);
        Here::with(|here| {
            here.begin(begun);
            here.replace(outer)
        });
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.measured.as_ref().map(|measured| measured.def.name);
        f.debug_struct("Frame").field("component", &name).finish_non_exhaustive()
    }
}
