//! What a level does, whatever keeps it.

use std::fmt;
use std::time::Duration;

use crate::cache::key::Key;
use crate::cache::tag::TagId;
use crate::component::BoxFuture;

/// A level below memory: keeps values for many processes, and the marks that invalidations leave.
///
/// Nothing in a level is ever searched for. A value holds the marks that its tags had before its function
/// began to run, and is good as long as they are the same: an invalidation changes marks and nothing
/// else. Marks are compared for equality only, so that no clock and no lost write can make an old value
/// good again; only a backup that brings back both can.
pub trait Level: Send + Sync + 'static {
    /// Returns which of the levels it is.
    fn tier(&self) -> Tier;

    /// Reads the value of a key and the marks of tags.
    ///
    /// The marks are not newer than the value: who stores with them later is refused if anything changed.
    fn read<'a>(&'a self, key: &'a Key, tags: &'a [TagId]) -> Answer<'a, Read>;

    /// Stores a value if its tags still have the given marks; returns whether they have.
    fn write<'a>(&'a self, write: Write<'a>) -> Answer<'a, bool>;

    /// Gives new marks to tags, or to everything, and tells all who listen to [`news`](Self::news).
    fn invalidate<'a>(&'a self, voided: &'a Voided, origin: Origin) -> Answer<'a, ()>;

    /// Removes a value, if it is exactly this one.
    fn discard<'a>(&'a self, key: &'a Key, value: &'a [u8]) -> Answer<'a, ()>;

    /// Asks to be the one who computes a value, for some time; `false`: somebody else is.
    ///
    /// It saves work and keeps nothing right: who waits in vain computes by itself.
    fn lease<'a>(&'a self, key: &'a Key, holder: u64, time: Duration) -> Answer<'a, bool> {
        let _ = (key, holder, time);
        Box::pin(std::future::ready(Ok(true)))
    }

    /// Lets others compute a value again, if it is this holder's lease.
    fn release<'a>(&'a self, key: &'a Key, holder: u64) -> Answer<'a, ()> {
        let _ = (key, holder);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Begins to listen to the invalidations of others.
    fn news(&self) -> Box<dyn News>;

    /// Does what is to be done now and then, such as the removal of expired values.
    fn tend(&self) -> Answer<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Returns how much it holds.
    fn holds(&self) -> Answer<'_, Holds>;

    /// Returns the figures of its pool of connections, where it has one.
    fn pool(&self) -> Option<PoolFigures> {
        None
    }
}

/// What a level answers in the end.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, LevelError>>;

/// Which level it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// In the memory of another server, such as Redis.
    Shared,
    /// In a database.
    Database,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shared => "shared",
            Self::Database => "database",
        })
    }
}

/// What is read at once.
#[derive(Clone, Debug)]
pub struct Read {
    /// The value, and how long it will be kept from now on by the level's own clock.
    pub value: Option<(Vec<u8>, Duration)>,
    /// The marks of the tags.
    pub marks: Marks,
}

/// What is stored.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// Where.
    pub key: &'a Key,
    /// Under which tags.
    pub tags: &'a [TagId],
    /// The marks that these had before the function began to run.
    pub marks: &'a Marks,
    /// What.
    pub value: &'a [u8],
    /// For how long.
    pub life: Duration,
}

/// The mark that stands for everything, and those of some tags in their order; 0: never invalidated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks(pub Box<[u64]>);

/// What is invalidated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voided {
    /// Whatever carries one of these tags.
    Tags(Vec<TagId>),
    /// Everything.
    All,
}

impl Voided {
    /// Reads tags that were written one behind the other; `None` where these are none.
    #[cfg(any(feature = "redis", feature = "sqlite", feature = "postgres"))]
    pub(in crate::cache) fn read(tags: &[u8]) -> Option<Self> {
        let (digests, rest) = tags.as_chunks::<16>();
        rest.is_empty().then(|| Self::Tags(digests.iter().map(|digest| TagId::from_bytes(*digest)).collect()))
    }
}

/// Which cache invalidates: it knows already, and is not told again. 0 is the level itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin(pub u64);

/// The invalidations of all who share a level, in the order in which they took effect.
pub trait News: Send {
    /// Waits for news, but no longer than [`SILENCE`]: an answer without any shows that the way is open.
    fn next(&mut self) -> Answer<'_, Vec<Event>>;
}

/// How long [`News::next`] waits at most.
pub const SILENCE: Duration = Duration::from_secs(1);

/// What has happened at a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody invalidated something.
    Voided(Origin, Voided),
    /// It is not known what was missed: nothing that was read before may be trusted.
    Gap,
    /// The level is older than it was, as after a failover: with invalidations it may have lost, nothing in it may be
    /// trusted.
    Lost,
}

/// How much a level holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Holds {
    /// Values; `None` where counting them would cost a search.
    pub entries: Option<u64>,
    /// Bytes that they take, under the same condition.
    pub bytes: Option<u64>,
}

/// How many connections there are, and how long calls waited for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PoolFigures {
    /// Connections that are open.
    pub size: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// Calls that found none free at once.
    pub waits: u64,
    /// How long all calls together waited for a connection, be it free or new.
    pub waited: Duration,
    /// Calls that gave up because none became free in time.
    pub timeouts: u64,
}

impl std::ops::Add for PoolFigures {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            size: self.size + other.size,
            idle: self.idle + other.idle,
            waits: self.waits + other.waits,
            waited: self.waited + other.waited,
            timeouts: self.timeouts + other.timeouts,
        }
    }
}

/// Why a level did not do what it was asked to.
#[derive(Clone, Debug)]
pub struct LevelError {
    reason: String,
    busy: bool,
}

impl LevelError {
    /// Something is wrong with the level or the way to it. The reason is logged: it must hold no
    /// credentials and nothing of a value.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string(), busy: false }
    }

    /// There was no free connection here: which says nothing about the level.
    pub fn busy(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string(), busy: true }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }
}

impl fmt::Display for LevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for LevelError {}
