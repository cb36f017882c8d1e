//! The way to a connection: never longer than a while, measured, and safe to be given up.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Database, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::cache::level::LevelError;
use crate::cache::level::PoolFigures;

/// Lets in as many as there are connections.
///
/// The pool of sqlx answers "timed out" both when all connections are in use and when the server is
/// not there. Counting here tells one from the other: whoever is let in waits for nobody else.
pub(super) struct Gate {
    places: Arc<Semaphore>,
    wait: Duration,
    waits: AtomicU64,
    waited_us: AtomicU64,
    timeouts: AtomicU64,
}

/// A connection for one use.
pub(super) struct Lent<DB: Database> {
    connection: PoolConnection<DB>,
    returned_well: bool,
    _place: OwnedSemaphorePermit,
}

impl Gate {
    pub(super) fn new(places: u32, wait: Duration) -> Self {
        let places = Arc::new(Semaphore::new(places as usize));
        Self {
            places,
            wait,
            waits: AtomicU64::new(0),
            waited_us: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
        }
    }

    /// Lends a connection, or reports that none became free in time.
    pub(super) async fn lend<DB: Database>(&self, pool: &Pool<DB>) -> Result<Lent<DB>, Refused> {
        let began = Instant::now();
        let lent = self.enter(pool).await;
        self.waited_us.fetch_add(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX), Relaxed);
        lent
    }

    async fn enter<DB: Database>(&self, pool: &Pool<DB>) -> Result<Lent<DB>, Refused> {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                self.waits.fetch_add(1, Relaxed);
                let place = tokio::time::timeout(self.wait, Arc::clone(&self.places).acquire_owned()).await;
                // Nobody closes the semaphore.
                place.ok().and_then(Result::ok).ok_or_else(|| {
                    self.timeouts.fetch_add(1, Relaxed);
                    Refused::Busy(self.wait)
                })?
            }
        };
        let connection = pool.acquire().await.map_err(Refused::Broken)?;
        Ok(Lent { connection, returned_well: false, _place: place })
    }

    pub(super) fn figures(&self, size: u32, idle: usize) -> PoolFigures {
        PoolFigures {
            size,
            idle: u32::try_from(idle).unwrap_or(u32::MAX),
            waits: self.waits.load(Relaxed),
            waited: Duration::from_micros(self.waited_us.load(Relaxed)),
            timeouts: self.timeouts.load(Relaxed),
        }
    }
}

/// Why there is no connection.
pub(super) enum Refused {
    Busy(Duration),
    Broken(sqlx::Error),
}

impl Refused {
    pub(super) fn explain(self) -> LevelError {
        match self {
            Self::Busy(wait) => LevelError::busy(format_args!("no connection became free within {wait:?}")),
            Self::Broken(sqlx::Error::PoolTimedOut) => {
                LevelError::new("the database let nobody connect in time")
            }
            Self::Broken(error) => explain(&error),
        }
    }
}

/// Says what went wrong: a code and the database's own first line, which holds nothing of a value.
pub(super) fn explain(error: &sqlx::Error) -> LevelError {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            LevelError::new(format_args!("the database refused: {} ({code})", error.message()))
        }
        // Its text may quote the address or what was read.
        sqlx::Error::Configuration(_) => {
            LevelError::new("the connection is not configured as the database wants it")
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            LevelError::new("the database holds something that is not of the cache")
        }
        error => LevelError::new(format_args!("the database cannot be used: {error}")),
    }
}

impl<DB: Database> Lent<DB> {
    /// Gives the connection back, for others to use.
    pub(super) fn give_back(mut self) {
        self.returned_well = true;
    }
}

impl<DB: Database> Drop for Lent<DB> {
    fn drop(&mut self) {
        // A call that failed or was given up may have left a statement or a transaction behind.
        if !self.returned_well {
            self.connection.close_on_drop();
        }
    }
}

impl<DB: Database> Deref for Lent<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl<DB: Database> DerefMut for Lent<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}
