//! The connection for values and marks, which is replaced where nothing comes back any more.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redis::RedisError;
use tokio::time::Instant;

use super::connection::{CONNECT, Connection, Place};
use super::level::failed;
use crate::cache::level::LevelError;

/// After so many requests in a row without an answer the next one goes through a new connection.
const UNANSWERED: u32 = 3;

/// Connects when it is needed, and again when that is lost.
///
/// The connection does so where the network says that it is gone. One that was forgotten on the way stays
/// open for a quarter of an hour, until TCP gives it up: that, only missing answers show.
pub(crate) struct Line {
    place: Place,
    current: Mutex<Current>,
    unanswered: AtomicU32,
}

struct Current {
    number: u64,
    made: Instant,
    connection: Connection,
}

/// A request under way. Dropped without an answer, it was given up by whoever asked.
struct Asking<'a> {
    line: &'a Line,
    number: u64,
    answered: bool,
}

impl Line {
    pub(crate) fn new(place: Place) -> Result<Self, RedisError> {
        let current = Current::new(0, &place)?;
        Ok(Self { place, current: Mutex::new(current), unanswered: AtomicU32::new(0) })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Asks something, and notes whether anything comes back, be it an error.
    pub(crate) async fn ask<T>(
        &self,
        ask: impl AsyncFnOnce(&mut Connection) -> Result<T, RedisError>,
    ) -> Result<T, LevelError> {
        let (number, mut connection) = {
            let current = self.current();
            (current.number, current.connection.clone())
        };
        let mut asking = Asking { line: self, number, answered: false };
        let answer = ask(&mut connection).await;
        asking.answered = true;
        answer.map_err(|error| failed(&error))
    }

    fn replace(&self, number: u64) {
        let mut current = self.current();
        // Others that were given up with it have the same one in mind, and a far one takes its time to come about.
        if current.number == number
            && current.made.elapsed() > CONNECT
            && tokio::runtime::Handle::try_current().is_ok()
            && let Ok(new) = Current::new(number + 1, &self.place)
        {
            *current = new;
        }
    }

    // Every change is whole before its lock is given back.
    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn new(number: u64, place: &Place) -> Result<Self, RedisError> {
        let connection = place.connect()?;
        let mut pinged = connection.clone();
        // It comes about by being used, and whoever asks gives up sooner than that may take.
        tokio::spawn(async move {
            let ping = redis::cmd("PING");
            let _ = tokio::time::timeout(CONNECT, ping.query_async::<()>(&mut pinged)).await;
        });
        Ok(Self { number, made: Instant::now(), connection })
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.answered {
            self.line.unanswered.store(0, Relaxed);
        } else if self.line.unanswered.fetch_add(1, Relaxed) + 1 >= UNANSWERED {
            // The count goes on after that: while nothing comes back, each attempt has a connection of its own.
            self.line.replace(self.number);
        }
    }
}
