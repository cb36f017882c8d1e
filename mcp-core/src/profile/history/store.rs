//! The history in Redis: written by each process for itself, read by all.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::Pipeline;

use super::Hour;
use super::blob;
use crate::cache::level::LevelError;
use crate::cache::redis::{Line, Place};
use crate::profile::measured::Measured;
use crate::profile::profiler::Profiler;
use crate::profile::totals::Totals;

/// How long a request may take; nobody waits for it but the history.
const DEADLINE: Duration = Duration::from_secs(2);

/// How long hours are kept.
const KEPT: Duration = Duration::from_secs(8 * 24 * 3600);

/// How many hours wait for a Redis that is away, the current one included.
const PENDING: usize = 2;

/// The history of the components of an application.
pub struct History {
    line: Line,
    application: String,
    written: Mutex<Written>,
}

/// What this process has written, and has still to write.
#[derive(Default)]
struct Written {
    hour: Option<Hour>,
    /// By component: what was measured before the hour began, and what of it is written.
    components: Vec<Component>,
    /// By hour: the blobs that Redis has not confirmed.
    pending: BTreeMap<Hour, BTreeMap<String, Vec<u8>>>,
    dropped: u64,
}

#[derive(Clone, Default)]
struct Component {
    before: Totals,
    noted: Totals,
    /// The longest poll of the hour.
    longest_poll: u64,
}

/// What all processes measured of a component in one hour.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub struct Past {
    pub hour: Hour,
    pub kind: String,
    pub name: String,
    pub totals: Totals,
    /// How many processes there were.
    pub instances: u64,
}

impl History {
    /// Names a Redis and an application; nothing is connected yet. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// Where the URL is none.
    pub fn open(url: &str, application: &str) -> Result<Self, LevelError> {
        let line = Line::new(Place::read(url)?).map_err(LevelError::new)?;
        Ok(Self { line, application: application.to_owned(), written: Mutex::default() })
    }

    /// Writes what was measured in the current hour, and what is left to write of the one before.
    ///
    /// A call belongs to the hour that it is first written in: within ten seconds, the one that it ended in.
    ///
    /// # Errors
    ///
    /// Where Redis does not take it; it is written with what comes next.
    pub async fn write(&self, profiler: &Profiler, unix_ms: u64) -> Result<(), LevelError> {
        let pending = self.written().note(profiler, Hour::of(unix_ms));
        for (hour, blobs) in pending {
            let key = self.key(hour);
            let mut pipeline = Pipeline::new();
            for (field, blob) in &blobs {
                pipeline.hset(&key, field, blob).ignore();
            }
            pipeline.expire(&key, KEPT.as_secs().cast_signed()).ignore();
            self.ask::<()>(&pipeline).await?;
            self.written().confirmed(hour, &blobs);
        }
        Ok(())
    }

    /// Returns what was measured in the last hours, the current one included, oldest first.
    ///
    /// # Errors
    ///
    /// Where Redis does not answer.
    pub async fn read(&self, hours: u64, unix_ms: u64) -> Result<Vec<Past>, LevelError> {
        let now = Hour::of(unix_ms);
        let hours: Vec<_> = (0..hours).rev().map(|ago| now.before(ago)).collect();
        let mut pipeline = Pipeline::new();
        for hour in &hours {
            pipeline.hgetall(self.key(*hour));
        }
        let answers: Vec<BTreeMap<String, Vec<u8>>> = self.ask(&pipeline).await?;
        let mut past: BTreeMap<(Hour, String, String), Past> = BTreeMap::new();
        for (hour, fields) in hours.into_iter().zip(answers) {
            for (field, bytes) in fields {
                let mut parts = field.splitn(3, '|').skip(1);
                let (Some(kind), Some(name)) = (parts.next(), parts.next()) else { continue };
                // Of another version, or not ours: it is left alone.
                let Some(totals) = blob::read(&bytes) else { continue };
                let (kind, name) = (kind.to_owned(), name.to_owned());
                let there = past.entry((hour, kind.clone(), name.clone()));
                let there = there.or_insert_with(|| Past {
                    hour,
                    kind,
                    name,
                    totals: Totals::default(),
                    instances: 0,
                });
                there.totals.merge(&totals);
                there.instances += 1;
            }
        }
        Ok(past.into_values().collect())
    }

    /// Returns how many hours of a component were lost because Redis was away for too long.
    pub fn dropped(&self) -> u64 {
        self.written().dropped
    }

    fn key(&self, hour: Hour) -> String {
        format!("mcp:{{{}}}:h:{hour}", self.application)
    }

    async fn ask<T: redis::FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, LevelError> {
        let asked = self.line.ask(async |connection| pipeline.query_async(connection).await);
        match tokio::time::timeout(DEADLINE, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(LevelError::new(format_args!("Redis did not answer within {DEADLINE:?}"))),
        }
    }

    // Every change is whole before its lock is given back.
    fn written(&self) -> std::sync::MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    /// Takes down what there is to write now; returns all that waits.
    fn note(&mut self, profiler: &Profiler, hour: Hour) -> BTreeMap<Hour, BTreeMap<String, Vec<u8>>> {
        self.components.resize(profiler.components().len(), Component::default());
        // A clock that is set back does not begin an hour again: that would write over what it has.
        let last = self.hour.unwrap_or(hour);
        let hour = hour.max(last);
        self.hour = Some(hour);
        for (measured, component) in profiler.components().iter().zip(&mut self.components) {
            let totals = measured.totals();
            component.longest_poll = component.longest_poll.max(measured.take_longest_poll());
            if totals != component.noted {
                let mut came = totals.since(&component.before);
                came.longest_poll = component.longest_poll;
                let blob = blob::write(&came);
                // What came since the last look belongs to the hour that it was in.
                self.pending.entry(last).or_default().insert(field(profiler, measured), blob);
                component.noted = totals;
            }
            if last != hour {
                component.before = component.noted.clone();
                component.longest_poll = 0;
            }
        }
        while self.pending.len() > PENDING {
            self.dropped += self.pending.pop_first().map_or(0, |(_, lost)| lost.len() as u64);
        }
        self.pending.clone()
    }

    /// Forgets what Redis has, unless there is more of it by now.
    fn confirmed(&mut self, hour: Hour, blobs: &BTreeMap<String, Vec<u8>>) {
        if let Some(pending) = self.pending.get_mut(&hour) {
            pending.retain(|field, blob| blobs.get(field) != Some(blob));
            if pending.is_empty() {
                self.pending.remove(&hour);
            }
        }
    }
}

fn field(profiler: &Profiler, measured: &Measured) -> String {
    format!("{}|{}|{}", profiler.instance(), measured.def.kind.word(), measured.def.name)
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History").field("application", &self.application).finish_non_exhaustive()
    }
}
