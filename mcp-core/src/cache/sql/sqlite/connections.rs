//! The connections to a file, opened when they are needed and again when the file is another one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::Sqlite as Kind;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tokio::sync::Mutex;

use super::{file, schema};
use crate::cache::level::LevelError;
use crate::cache::level::PoolFigures;
use crate::cache::sql::gate::{Gate, Lent, Refused, explain};
use crate::cache::sql::options::DatabaseOptions;

/// A file, open or not, of which clones share the connections.
#[derive(Clone)]
pub(in crate::cache::sql) struct Sqlite {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    options: DatabaseOptions,
    readers: Gate,
    writers: Gate,
    /// `None` until the first call, and after the file turned out to be another one or broken.
    open: Mutex<Option<Open>>,
}

/// The connections to one file.
#[derive(Clone)]
pub(super) struct Open {
    which: file::Identity,
    readers: SqlitePool,
    writers: SqlitePool,
}

impl Open {
    pub(super) fn which(&self) -> file::Identity {
        self.which
    }
}

impl Sqlite {
    /// Takes the path of a file: what follows `sqlite:`.
    pub(in crate::cache::sql) fn new(path: &str, options: DatabaseOptions) -> Result<Self, LevelError> {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains(['?', '\0']) || path == ":memory:" {
            return Err(LevelError::new("the path of the database names no file: write `sqlite://cache.db`"));
        }
        // Absolute, or SQLite would take a name like `file:x` for an address.
        let path = std::path::absolute(path).map_err(LevelError::new)?;
        let shared = Shared {
            path,
            readers: Gate::new(readers(&options), options.acquire_timeout),
            writers: Gate::new(1, options.acquire_timeout),
            open: Mutex::default(),
            options,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.shared.path
    }

    pub(super) fn options(&self) -> &DatabaseOptions {
        &self.shared.options
    }

    /// Returns the connections to the file that is there now.
    pub(super) async fn open(&self) -> Result<Open, LevelError> {
        let mut current = self.shared.open.lock().await;
        if let Some(open) = &*current {
            // One call to the system: a file that was deleted must not go on as a cache of its own.
            if file::identity(self.path()) == Some(open.which) {
                return Ok(open.clone());
            }
            *current = None;
        }
        let which = file::prepare(self.path()).await?;
        let connect = schema::connect(self.path(), self.options().max_bytes);
        let pool = |most: u32| {
            SqlitePoolOptions::new()
                .max_connections(most)
                // Opening may have to wait for another process as long as a statement.
                .acquire_timeout(self.options().acquire_timeout + schema::BUSY)
                .max_lifetime(None)
                .idle_timeout(None)
                .test_before_acquire(false)
                .connect_lazy_with(connect.clone())
        };
        let open = Open { which, readers: pool(readers(self.options())), writers: pool(1) };
        *current = Some(open.clone());
        Ok(open)
    }

    pub(super) async fn reader(&self, open: &Open) -> Result<Lent<Kind>, LevelError> {
        self.lend(&self.shared.readers, &open.readers, open).await
    }

    pub(super) async fn writer(&self, open: &Open) -> Result<Lent<Kind>, LevelError> {
        self.lend(&self.shared.writers, &open.writers, open).await
    }

    async fn lend(&self, gate: &Gate, pool: &SqlitePool, open: &Open) -> Result<Lent<Kind>, LevelError> {
        match gate.lend(pool).await {
            Ok(lent) => Ok(lent),
            Err(Refused::Broken(error)) if file::is_corrupt(&error).is_some() => {
                Err(self.failed(open, &error).await)
            }
            Err(refused) => Err(refused.explain()),
        }
    }

    /// Finds out whether an error condemns the file or its connections, and explains it.
    pub(super) async fn failed(&self, open: &Open, error: &sqlx::Error) -> LevelError {
        // Input and output, a file that cannot be opened, and one that was replaced.
        const START_AGAIN: [i32; 3] = [10, 14, 8];
        let code = error.as_database_error().and_then(file::code);
        let corrupt = file::is_corrupt(error);
        if corrupt.is_some() || code.is_none_or(|(code, _)| START_AGAIN.contains(&code)) {
            let mut current = self.shared.open.lock().await;
            if current.as_ref().is_some_and(|now| now.which == open.which) {
                *current = None;
                if let Some(why) = corrupt
                    && let Err(error) = file::retire(self.path(), open.which, why).await
                {
                    return error;
                }
            }
        }
        explain(error)
    }

    pub(super) fn figures(&self) -> PoolFigures {
        // Whoever holds it is opening the file: there is nothing to count then.
        let open = self.shared.open.try_lock().ok().and_then(|open| open.clone());
        let count = |gate: &Gate, pool: Option<&SqlitePool>| {
            gate.figures(pool.map_or(0, SqlitePool::size), pool.map_or(0, SqlitePool::num_idle))
        };
        count(&self.shared.readers, open.as_ref().map(|open| &open.readers))
            + count(&self.shared.writers, open.as_ref().map(|open| &open.writers))
    }
}

fn readers(options: &DatabaseOptions) -> u32 {
    // Each has a thread; more of them than cores read no faster.
    options.pool_size.clamp(2, 4)
}
