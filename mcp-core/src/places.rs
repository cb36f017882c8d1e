//! How many calls run at once, and how many wait for their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Failure;

/// How long a call waits for a place.
const PATIENCE: Duration = Duration::from_secs(30);

/// Places for running calls, and sixteen times as many to wait in.
#[derive(Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
}

/// How many calls may wait for each place.
pub const QUEUE: usize = 16;

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// Makes places for so many calls.
    pub fn new(calls: u32) -> Self {
        let calls = calls as usize;
        Self {
            free: Arc::new(Semaphore::new(calls)),
            waiting: AtomicUsize::new(0),
            queue: calls.saturating_mul(QUEUE),
        }
    }

    /// Takes a place, or waits for one.
    ///
    /// # Errors
    ///
    /// [`Failure::Busy`] where too many wait already, or none was left within half a minute.
    pub async fn enter(&self) -> Result<Place, Failure> {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(Place { _permit: permit });
        }
        let _waiting = Waiting::new(&self.waiting, self.queue).ok_or(Failure::Busy)?;
        match tokio::time::timeout(PATIENCE, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Place { _permit: permit }),
            Ok(Err(_)) | Err(_) => Err(Failure::Busy),
        }
    }
}

/// One that waits, counted also where it goes away.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize, most: usize) -> Option<Self> {
        let waiting = Self(count);
        (count.fetch_add(1, Ordering::AcqRel) < most).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_or_behind_too_many_is_told() {
        let places = Arc::new(Places::new(1));
        let taken = places.enter().await.unwrap();
        let waiting: Vec<_> = (0..QUEUE)
            .map(|_| {
                let places = Arc::clone(&places);
                tokio::spawn(async move { places.enter().await.map(drop) })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(matches!(places.enter().await, Err(Failure::Busy)), "the queue is full");
        tokio::time::sleep(PATIENCE + Duration::from_secs(1)).await;
        for waiter in waiting {
            assert!(matches!(waiter.await.unwrap(), Err(Failure::Busy)));
        }
        drop(taken);
        assert!(places.enter().await.is_ok());
    }
}
