//! One type for every database: which one it is, the address says.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::options::DatabaseOptions;
use super::standing::Standing;
use crate::cache::key::Key;
use crate::cache::level::{
    Answer, Holds, Level, LevelError, News, Origin, PoolFigures, Read, Tier, Voided, Write,
};
use crate::cache::tag::TagId;

/// A level of the cache in a database.
///
/// # Examples
///
/// ```no_run
/// use mcp_core::cache::sql::{Database, DatabaseOptions};
///
/// let level = Database::open("sqlite://cache.db", DatabaseOptions::default())?;
/// # Ok::<(), mcp_core::cache::level::LevelError>(())
/// ```
#[derive(Clone)]
pub struct Database {
    engine: Arc<dyn Engine>,
    limit: Duration,
}

/// What a database does beyond what every level does.
pub(super) trait Engine: Level {
    /// Looks after the tables and says in sentences what it did.
    fn optimize(&self) -> Answer<'_, Vec<String>>;

    /// Looks at what is there, and changes nothing.
    fn standing(&self) -> Answer<'_, Standing>;

    /// Returns where it is, without credentials.
    fn place(&self) -> String;
}

impl Database {
    /// Prepares the use of a database; nothing is opened before the first call.
    ///
    /// `sqlite://path` (or `sqlite:path`) and `postgres://user:password@host:port/name`, as far as
    /// the features `sqlite` and `postgres` are on. A database that is down, locked or missing shows
    /// in the errors of calls, and calls succeed again once it is there.
    ///
    /// # Errors
    ///
    /// When the address or an option makes no sense.
    pub fn open(url: &str, options: DatabaseOptions) -> Result<Self, LevelError> {
        options.check()?;
        // What waits for a connection and for the answer has its own limits; this one holds them all.
        let limit = options.acquire_timeout.saturating_mul(2).saturating_add(options.query_timeout);
        Ok(Self { engine: engine(url, options)?, limit })
    }

    /// Removes what is expired, sees to the indexes and returns in sentences what it did.
    ///
    /// For an operator to call when there is little to do: it reads whole tables, and the limit on
    /// the time of a call does not hold.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached or refuses.
    pub async fn optimize(&self) -> Result<Vec<String>, LevelError> {
        self.engine.optimize().await
    }

    /// Looks at what is there, and changes nothing: every other call may make it anew.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, is of something else, or could not be made.
    pub async fn standing(&self) -> Result<Standing, LevelError> {
        within(self.limit, self.engine.standing()).await
    }
}

/// How long the housekeeping may take: the next round comes about a minute after this one.
const HOUSEKEEPING: Duration = Duration::from_secs(50);

fn within<'a, T: Send + 'a>(limit: Duration, answer: Answer<'a, T>) -> Answer<'a, T> {
    Box::pin(async move {
        tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
            Err(LevelError::new(format_args!("the database gave no answer within {limit:?}")))
        })
    })
}

fn engine(url: &str, options: DatabaseOptions) -> Result<Arc<dyn Engine>, LevelError> {
    match url.split_once(':') {
        #[cfg(feature = "sqlite")]
        Some(("sqlite", path)) => Ok(Arc::new(super::sqlite::Sqlite::new(path, options)?)),
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => Ok(Arc::new(super::postgres::Postgres::new(url, options)?)),
        _ => {
            drop(options);
            // The address may hold a password: not even a part of it is shown.
            Err(LevelError::new(
                "the address of the database is of no known kind: write `sqlite://path` or `postgres://user@host/name`, \
                 and turn on the feature `sqlite` or `postgres`",
            ))
        }
    }
}

impl Level for Database {
    fn tier(&self) -> Tier {
        Tier::Database
    }

    fn read<'a>(&'a self, key: &'a Key, tags: &'a [TagId]) -> Answer<'a, Read> {
        within(self.limit, self.engine.read(key, tags))
    }

    fn write<'a>(&'a self, write: Write<'a>) -> Answer<'a, bool> {
        within(self.limit, self.engine.write(write))
    }

    fn invalidate<'a>(&'a self, voided: &'a Voided, origin: Origin) -> Answer<'a, ()> {
        within(self.limit, self.engine.invalidate(voided, origin))
    }

    fn discard<'a>(&'a self, key: &'a Key, value: &'a [u8]) -> Answer<'a, ()> {
        within(self.limit, self.engine.discard(key, value))
    }

    fn news(&self) -> Box<dyn News> {
        self.engine.news()
    }

    fn tend(&self) -> Answer<'_, ()> {
        within(HOUSEKEEPING, self.engine.tend())
    }

    fn holds(&self) -> Answer<'_, Holds> {
        within(self.limit, self.engine.holds())
    }

    fn pool(&self) -> Option<PoolFigures> {
        self.engine.pool()
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.engine.place()).finish()
    }
}
