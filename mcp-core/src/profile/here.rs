//! What each thread has of its own: the run whose poll is under way, and frames for runs to come.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::allocator::Allocated;
use super::frame::Frame;

/// How many frames a thread keeps for runs to come.
const KEPT: usize = 16;

/// How a poll began, or a piece of work on another thread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Begun {
    /// When; 0: none is under way.
    pub(super) at: u64,
    /// What its thread had allocated.
    pub(super) allocated: Allocated,
    /// What was nested in polls of its thread.
    pub(super) nested: Nested,
    /// Whether it is the run's own poll, which keeps a thread of the runtime from other calls.
    pub(super) is_own: bool,
}

/// What components took that were called within polls of a thread: it only grows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nested {
    pub(super) busy: u64,
    pub(super) allocated: Allocated,
}

impl Nested {
    #[must_use]
    pub(super) fn and(self, busy: u64, allocated: Allocated) -> Self {
        Self { busy: self.busy.wrapping_add(busy), allocated: self.allocated.and(allocated) }
    }

    /// Returns what came since an earlier look by the same thread.
    #[must_use]
    pub(super) fn since(self, earlier: Self) -> Self {
        let Self { busy, allocated } = earlier;
        Self { busy: self.busy.wrapping_sub(busy), allocated: self.allocated.since(allocated) }
    }
}

/// What a thread has of its own, in one place: each look for one takes a nanosecond or two.
pub(super) struct Here {
    current: RefCell<Option<Arc<Frame>>>,
    /// Of its poll.
    begun: Cell<Begun>,
    nested: Cell<Nested>,
    free: RefCell<Vec<Arc<Frame>>>,
    pub(super) seat: Arc<Seat>,
}

thread_local! {
    static HERE: Here = Here {
        current: RefCell::default(),
        begun: Cell::default(),
        nested: Cell::default(),
        free: RefCell::new(Vec::with_capacity(KEPT)),
        seat: Seat::register(),
    };
}

impl Here {
    /// Does something with what this thread has; `None` where the thread is about to end.
    #[inline]
    pub(super) fn with<T>(look: impl FnOnce(&Self) -> T) -> Option<T> {
        HERE.try_with(look).ok()
    }

    /// Does something with the run whose poll is under way; nothing of the user's.
    #[inline]
    pub(super) fn current<T>(&self, look: impl FnOnce(&Arc<Frame>) -> T) -> Option<T> {
        self.current.borrow().as_ref().map(look)
    }

    /// Sets whose poll is under way; returns whose was before.
    #[inline]
    pub(super) fn replace(&self, frame: Option<Arc<Frame>>) -> Option<Arc<Frame>> {
        self.current.replace(frame)
    }

    /// Sets how the poll that is under way began.
    #[inline]
    pub(super) fn begin(&self, begun: Begun) {
        self.begun.set(begun);
    }

    /// Returns how the poll that is under way began.
    pub(super) fn begun(&self) -> Begun {
        self.begun.get()
    }

    /// Sets what was nested in polls of this thread.
    #[inline]
    pub(super) fn nest(&self, nested: Nested) {
        self.nested.set(nested);
    }

    /// Returns what was nested in polls of this thread.
    pub(super) fn nested(&self) -> Nested {
        self.nested.get()
    }

    /// Returns a frame that is as good as new.
    pub(super) fn take(&self) -> Arc<Frame> {
        self.free.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps a frame for a run to come, where there is room.
    pub(super) fn keep(&self, frame: Arc<Frame>) {
        let mut free = self.free.borrow_mut();
        if free.len() < KEPT {
            free.push(frame);
        }
    }
}

/// What a thread does, for those who look from outside: a poll that never ends tells nobody.
#[derive(Debug, Default)]
pub(super) struct Seat {
    /// Since when a poll is under way; 0: none is.
    since: AtomicU64,
    /// The component, as [`Frame::of_number`] takes it apart.
    number: AtomicU64,
}

static SEATS: Mutex<Vec<Weak<Seat>>> = Mutex::new(Vec::new());

impl Seat {
    fn register() -> Arc<Self> {
        let seat = Arc::new(Self::default());
        let mut seats = SEATS.lock().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|seat| seat.strong_count() > 0);
        seats.push(Arc::downgrade(&seat));
        seat
    }

    pub(super) fn take_up(&self, number: u64, since: u64) {
        self.number.store(number, Relaxed);
        self.since.store(since, Relaxed);
    }

    pub(super) fn leave(&self) {
        self.since.store(0, Relaxed);
    }

    /// Returns the components whose polls are under way, and since when.
    pub(super) fn all() -> Vec<(u64, u64)> {
        let seats = SEATS.lock().unwrap_or_else(PoisonError::into_inner);
        let seats = seats.iter().filter_map(Weak::upgrade);
        let polls = seats.map(|seat| (seat.number.load(Relaxed), seat.since.load(Relaxed)));
        polls.filter(|(_, since)| *since > 0).collect()
    }
}
