//! What the author of a component notes while it runs: checkpoints, steps, calls of other components.

use std::time::Duration;

use super::allocator::Allocated;
use super::frame::Frame;
use super::here::{Begun, Here, Nested};
use super::ticks;

/// How many checkpoints of a run are kept.
const CHECKPOINTS: usize = 16;

/// How many steps, and how many calls of other components, are kept.
const STEPS: usize = 32;

/// What a run has noted.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) checkpoints: Vec<Checkpoint>,
    pub(super) steps: Vec<Step>,
    pub(super) children: Vec<Child>,
    /// The trace that the run is a part of.
    pub(super) trace: Option<[u8; 16]>,
    /// How many there was no room for.
    pub(super) dropped: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Checkpoint {
    pub(super) label: &'static str,
    pub(super) value: Option<f64>,
    pub(super) at: u64,
    pub(super) busy: u64,
    pub(super) bytes: u64,
    pub(super) queries: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) label: &'static str,
    pub(super) start: u64,
    pub(super) took: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Child {
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) start: u64,
    pub(super) took: u64,
}

impl Notes {
    /// Forgets everything; the room stays.
    pub(super) fn clear(&mut self) {
        self.checkpoints.clear();
        self.steps.clear();
        self.children.clear();
        self.trace = None;
        self.dropped = 0;
    }

    /// Returns the label of the last checkpoint.
    pub(super) fn last(&self) -> Option<&'static str> {
        self.checkpoints.last().map(|checkpoint| checkpoint.label)
    }

    fn push<T>(kept: &mut Vec<T>, most: usize, dropped: &mut u64, new: T) {
        if kept.len() < most {
            kept.push(new);
        } else {
            *dropped += 1;
        }
    }

    pub(super) fn child(&mut self, child: Child) {
        Self::push(&mut self.children, STEPS, &mut self.dropped, child);
    }
}

impl Frame {
    /// Returns how long ago its call began.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.since_called(ticks::now()))
    }

    /// Notes which trace the run is a part of, by the id that W3C Trace Context gives it.
    pub fn trace(&self, id: [u8; 16]) {
        self.note(|notes| notes.trace = Some(id));
    }

    /// Returns the checkpoints so far: what each is named, its value, and how long after the call began.
    pub fn checkpoints(&self) -> Vec<(&'static str, Option<f64>, Duration)> {
        let read = |checkpoint: &Checkpoint| {
            (checkpoint.label, checkpoint.value, Duration::from_nanos(checkpoint.at))
        };
        self.note(|notes| notes.checkpoints.iter().map(read).collect())
    }
}

/// Notes that the call which runs has come to a certain point; see [`checkpoint!`](crate::checkpoint).
pub fn checkpoint(label: &'static str, value: Option<f64>) {
    Here::with(|here| here.current(|frame| frame.checkpoint(label, value, here.begun(), here.nested())));
}

impl Frame {
    fn checkpoint(&self, label: &'static str, value: Option<f64>, begun: Begun, nested: Nested) {
        let now = ticks::now();
        let at = self.since_called(now);
        // What is under way counts.
        let (busy, bytes) = match begun.at {
            0 => (0, 0),
            since => {
                let nested = nested.since(begun.nested).allocated;
                let allocated = Allocated::now().since(begun.allocated).since(nested);
                (now.saturating_sub(since), allocated.bytes)
            }
        };
        let (busy, bytes) = (self.busy() + busy, self.polls.bytes.get() + self.others.bytes.get() + bytes);
        let queries = self.statements.get();
        self.note(|notes| {
            let checkpoint = Checkpoint { label, value, at, busy, bytes, queries };
            Notes::push(&mut notes.checkpoints, CHECKPOINTS, &mut notes.dropped, checkpoint);
        });
    }
}

/// Times a future as a step of the call which runs; see [`step!`](crate::step).
pub async fn step<F: Future>(label: &'static str, future: F) -> F::Output {
    let _step =
        Frame::current().map(|frame| Stepping { start: frame.since_called(ticks::now()), frame, label });
    future.await
}

/// A step that is under way; ends when it is dropped, however that comes.
struct Stepping {
    frame: std::sync::Arc<Frame>,
    label: &'static str,
    start: u64,
}

impl Drop for Stepping {
    fn drop(&mut self) {
        let took = self.frame.since_called(ticks::now()).saturating_sub(self.start);
        let step = Step { label: self.label, start: self.start, took };
        self.frame.note(|notes| Notes::push(&mut notes.steps, STEPS, &mut notes.dropped, step));
    }
}

/// Notes that a call has come to a certain point: how long it took, how much of that it was busy, and what it
/// allocated until there stands in the report of a slow call.
///
/// Outside of a call it does nothing. The first 16 of a call are kept; each costs about 20 ns.
///
/// # Examples
///
/// ```
/// use mcp_core::checkpoint;
///
/// let rows = [1, 2, 3];
/// checkpoint!("connected");
/// checkpoint!("loaded", rows = rows.len());
/// ```
#[macro_export]
macro_rules! checkpoint {
    ($label:literal) => {
        $crate::profile::checkpoint($label, ::core::option::Option::None)
    };
    ($label:literal, $name:ident = $value:expr) => {
        $crate::profile::checkpoint(
            ::core::concat!($label, " (", ::core::stringify!($name), ")"),
            ::core::option::Option::Some($value as f64),
        )
    };
}

/// Times a part of a call: `step!("render", future)` awaits the future and returns what it returns.
///
/// The step ends where the future does, be it by `?`, by a panic, or because the call is dropped.
///
/// # Examples
///
/// ```
/// use mcp_core::step;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let sum = step!("add", async { 2 + 3 });
/// assert_eq!(sum, 5);
/// # });
/// ```
#[macro_export]
macro_rules! step {
    ($label:literal, $future:expr) => {
        $crate::profile::step($label, $future).await
    };
}
