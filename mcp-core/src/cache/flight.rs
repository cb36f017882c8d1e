//! Single flight: one run of the function per key, shared by all who ask meanwhile.
//!
//! A flight is a task of its own. Callers only wait for it, each as long as it likes: one that
//! leaves takes nothing away from the others, and the result is kept even if nobody is left. Whoever
//! comes after an invalidation does not board a flight that began before it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use super::generations::{Generations, Stamp};
use super::key::Key;
use super::tag::TagId;

/// The flights under way, whose landing is a `T`.
pub(super) struct Flights<T> {
    table: Mutex<Table<T>>,
    running: AtomicUsize,
    /// Told when the last flight under way has ended.
    quiet: Notify,
    most: usize,
}

struct Table<T> {
    /// Those that may be boarded. An outdated flight gives its place to the next and flies on.
    by_key: HashMap<Key, Arc<Flight<T>>>,
    /// Which flights' functions wait for which flights.
    waits: HashMap<u64, Vec<u64>>,
    next: u64,
}

/// One run of a function.
pub(super) struct Flight<T> {
    number: u64,
    /// Taken before the function began.
    pub(super) stamp: Stamp,
    landing: OnceLock<T>,
    /// Whether nothing comes any more.
    over: AtomicBool,
    /// Told when one of these has changed.
    news: Notify,
}

/// How a caller comes on board.
pub(super) enum Boarding<T, R> {
    /// It starts the flight.
    Pilot(Pilot<T>, Passenger<T>),
    /// It waits for one that is under way.
    Passenger(Passenger<T>),
    /// It has what it came for: a flight landed in between.
    Ready(R),
    /// It must run by itself: it runs inside that flight, and would wait for itself.
    Circle,
    /// It must run by itself: too many flights are under way.
    Full,
}

impl<T: Clone> Flights<T> {
    pub(super) fn new(most: usize) -> Arc<Self> {
        let table = Table { by_key: HashMap::new(), waits: HashMap::new(), next: 0 };
        Arc::new(Self { table: Mutex::new(table), running: AtomicUsize::new(0), quiet: Notify::new(), most })
    }

    /// Boards the flight of a key, or starts it.
    ///
    /// `ready` is asked before a flight starts. A flight keeps its result before it leaves the table,
    /// so a caller that finds neither flight nor result is the first.
    pub(super) fn board<R>(
        self: &Arc<Self>,
        key: Key,
        tags: &Arc<[TagId]>,
        generations: &Generations,
        ready: impl FnOnce() -> Option<R>,
    ) -> Boarding<T, R> {
        let aboard = ABOARD.try_with(Clone::clone).unwrap_or_default();
        let cache = Arc::as_ptr(self).addr();
        let mine = || aboard.iter().filter(|frame| frame.cache == cache);
        if mine().any(|frame| frame.key == key) {
            return Boarding::Circle;
        }
        let inside = mine().next_back().map(|frame| frame.flight);
        let mut table = self.table();
        if let Some(flight) = table.by_key.get(&key).filter(|flight| generations.is_valid(&flight.stamp)) {
            let flight = Arc::clone(flight);
            if inside.is_some_and(|inside| table.waits_for(flight.number, inside)) {
                return Boarding::Circle;
            }
            return Boarding::Passenger(self.seat(&mut table, flight, inside));
        }
        if let Some(ready) = ready() {
            return Boarding::Ready(ready);
        }
        if self.running() >= self.most {
            return Boarding::Full;
        }
        let flight = Arc::new(Flight {
            number: table.next,
            stamp: generations.stamp(Arc::clone(tags)),
            landing: OnceLock::new(),
            over: AtomicBool::new(false),
            news: Notify::new(),
        });
        table.next += 1;
        table.by_key.insert(key, Arc::clone(&flight));
        self.running.fetch_add(1, SeqCst);
        let passenger = self.seat(&mut table, Arc::clone(&flight), inside);
        let left = AtomicBool::new(false);
        Boarding::Pilot(Pilot { flights: Arc::clone(self), key, flight, aboard, left }, passenger)
    }

    /// Returns how many flights are under way.
    pub(super) fn running(&self) -> usize {
        self.running.load(SeqCst)
    }

    /// Waits until no flight is under way.
    pub(super) async fn idle(&self) {
        loop {
            // Before the look, so that an end in between is heard.
            let quiet = self.quiet.notified();
            if self.running() == 0 {
                return;
            }
            quiet.await;
        }
    }

    fn seat(
        self: &Arc<Self>,
        table: &mut Table<T>,
        flight: Arc<Flight<T>>,
        inside: Option<u64>,
    ) -> Passenger<T> {
        if let Some(inside) = inside {
            table.waits.entry(inside).or_default().push(flight.number);
        }
        Passenger { flights: Arc::clone(self), flight, inside }
    }

    // What a panic could leave behind is a whole table: every change to it is one call.
    fn table(&self) -> MutexGuard<'_, Table<T>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Table<T> {
    /// Returns whether a flight's function waits for another, by whatever detours.
    fn waits_for(&self, from: u64, goal: u64) -> bool {
        let mut open = vec![from];
        let mut seen = Vec::new();
        while let Some(flight) = open.pop() {
            if flight == goal {
                return true;
            }
            if !seen.contains(&flight) {
                seen.push(flight);
                open.extend(self.waits.get(&flight).into_iter().flatten());
            }
        }
        false
    }
}

tokio::task_local! {
    /// The flights, of any cache, that the current task runs inside of.
    static ABOARD: Vec<Frame>;
}

#[derive(Clone, Copy)]
struct Frame {
    cache: usize,
    key: Key,
    flight: u64,
}

/// Runs the function of a flight; the flight ends when this is dropped.
pub(super) struct Pilot<T> {
    flights: Arc<Flights<T>>,
    key: Key,
    pub(super) flight: Arc<Flight<T>>,
    /// What the caller that started it runs inside of; a task does not inherit it.
    aboard: Vec<Frame>,
    /// Whether another flight may have its place.
    left: AtomicBool,
}

impl<T> Pilot<T> {
    /// Runs the function so that calls inside it know what they are inside of.
    pub(super) async fn fly<F: Future>(&mut self, function: F) -> F::Output {
        let mut frames = std::mem::take(&mut self.aboard);
        let cache = Arc::as_ptr(&self.flights).addr();
        frames.push(Frame { cache, key: self.key, flight: self.flight.number });
        ABOARD.scope(frames, function).await
    }

    /// Ends the flight with what its passengers get; what is left to be done after it counts as running.
    pub(super) fn land(&self, landing: T) {
        // Out of the table first: whoever sees this landing and calls again starts a new flight.
        self.leave();
        self.announce(landing);
    }

    /// Gives passengers what there is already, those that are still to come included, and flies on.
    pub(super) fn announce(&self, landing: T) {
        _ = self.flight.landing.set(landing);
        self.flight.news.notify_waiters();
    }

    /// Lets the next caller start another flight.
    pub(super) fn leave(&self) {
        if self.left.swap(true, Relaxed) {
            return;
        }
        let mut table = self.flights.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.by_key.get(&self.key).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
            table.by_key.remove(&self.key);
        }
    }
}

impl<T> Drop for Pilot<T> {
    fn drop(&mut self) {
        self.leave();
        // Without a landing this is what the passengers see.
        self.flight.over.store(true, SeqCst);
        self.flight.news.notify_waiters();
        if self.flights.running.fetch_sub(1, SeqCst) == 1 {
            self.flights.quiet.notify_waiters();
        }
    }
}

/// Waits for a flight.
pub(super) struct Passenger<T> {
    flights: Arc<Flights<T>>,
    pub(super) flight: Arc<Flight<T>>,
    inside: Option<u64>,
}

impl<T: Clone> Passenger<T> {
    /// Waits for the landing; `None` if the flight was given up, as at the end of a runtime.
    pub(super) async fn landing(&self) -> Option<T> {
        loop {
            // Before the look, so that what comes in between is heard.
            let news = self.flight.news.notified();
            let over = self.flight.over.load(SeqCst);
            match self.flight.landing.get() {
                Some(landing) => return Some(landing.clone()),
                None if over => return None,
                None => news.await,
            }
        }
    }
}

impl<T> Drop for Passenger<T> {
    fn drop(&mut self) {
        let Some(inside) = self.inside else { return };
        let mut table = self.flights.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waits) = table.waits.get_mut(&inside) {
            if let Some(at) = waits.iter().position(|&flight| flight == self.flight.number) {
                waits.swap_remove(at);
            }
            if waits.is_empty() {
                table.waits.remove(&inside);
            }
        }
    }
}
