//! The levels below memory, and what keeps them from doing harm: a level may be slow, down, full or
//! corrupt, and calls succeed.

mod contract;

mod cipher;
mod envelope;

mod breaker;
mod guarded;
mod pending;

mod below;
mod follow;
mod lease;

pub use contract::{
    Answer, Event, Holds, Level, LevelError, Marks, News, Origin, PoolFigures, Read, SILENCE, Tier, Voided,
    Write,
};
pub use guarded::LevelStats;

pub(super) use below::{Below, Found, Look};
pub(super) use cipher::Cipher;
pub(super) use envelope::Sealer;
pub(super) use follow::Heard;
pub(super) use lease::Lease;
