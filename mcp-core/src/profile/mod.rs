//! The profiler: where the time of every call goes.
//!
//! In reading order: [`Profiler`] belongs to a server and has one [`Measured`] for each component. A [`Call`]
//! is begun with each call and written once when it ends, however it ends. The run of a function, where
//! there is one, has a [`Frame`], which [`Profiled`] fills in around each poll, and in which
//! [`checkpoint!`](crate::checkpoint), [`step!`](crate::step) and SQL statements are noted. What comes of it
//! are [`Totals`] that add up, in windows of time, and the calls that are worth a look; [`Report`] is both.
//!
//! What is not measured costs a load and a branch; a call that is, about 150 ns, of which five looks at the clock
//! are a good third (`cargo bench --bench pieces -- profiler` in `xtask`).

mod active;
mod alerts;
mod allocator;
mod beside;
mod boundaries;
mod call;
mod chance;
mod counter;
mod findings;
mod frame;
mod here;
mod histogram;
mod measured;
mod notes;
mod outcome;
mod poll;
mod profiler;
mod report;
mod run;
mod slow;
mod ticks;
mod totals;
mod units;
mod windows;

#[cfg(feature = "redis")]
pub mod history;
pub mod sql;

#[cfg(test)]
mod tests;

pub use alerts::{Alert, Sink};
pub use allocator::{CountingAllocator, counts_allocations};
pub use beside::{in_call, in_call_blocking};
pub use boundaries::{BOUNDARIES, COMPONENT_BOUNDARIES, Durations};
pub use call::Call;
pub use frame::Frame;
pub use histogram::{Counts, ERROR_BOUND, Histogram};
pub use measured::Measured;
pub use notes::{checkpoint, step};
pub use outcome::Outcome;
pub use poll::Profiled;
pub use profiler::{Profiler, ProfilerOptions};
pub use report::{
    CheckpointReport, ChildReport, ComponentReport, Dropped, DroppedNotes, Finding, Latency, Part,
    QueryReport, RepeatedReport, Report, Series, SlowCall, SqlReport, Window,
};
pub use totals::{PHASES, Sum, Totals};
pub use units::human;
pub use windows::{COARSE, FINE, SLOTS, Span};

// What the operations of a server are measured with too.
#[doc(hidden)]
pub use counter::{Counter, PLACES, Place, Writer};
#[doc(hidden)]
pub use ticks::{now, trusts_counter};

pub(crate) use poll::blocking;

#[doc(hidden)]
pub use slow::unix_ms;
// What the server's sizes are written with too.
#[doc(hidden)]
pub use units::digits;
