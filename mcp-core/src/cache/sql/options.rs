//! What users choose about a database, and the figures of its pool.

use std::time::Duration;

use crate::cache::level::LevelError;

/// How a database is used.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// Whose values these are: several applications may share a database.
    ///
    /// 1 to 128 bytes without control characters.
    pub application: String,
    /// How many connections are open at most. SQLite: one that writes, and 2 to 4 that read.
    pub pool_size: u32,
    /// How long a call waits for a free connection, and for a new one to open.
    pub acquire_timeout: Duration,
    /// How long a call may take once it has a connection.
    pub query_timeout: Duration,
    /// How large a SQLite file becomes, in bytes; Postgres has no such limit here.
    ///
    /// The log beside the file, of about 4 MiB, comes on top. A value of more than an eighth of it is
    /// not kept.
    pub max_bytes: u64,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            application: "mcp".into(),
            pool_size: 10,
            acquire_timeout: Duration::from_millis(250),
            query_timeout: Duration::from_secs(1),
            max_bytes: 256 << 20,
        }
    }
}

impl DatabaseOptions {
    pub(super) fn check(&self) -> Result<(), LevelError> {
        // A notification of Postgres carries the name, and its text cannot hold a zero.
        const LONGEST_NAME: usize = 128;
        const SMALLEST_FILE: u64 = 1 << 20;
        let name = &self.application;
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
            return Err(LevelError::new(
                "the application of a database has no usable name: set `application` to 1 to 128 bytes without control characters",
            ));
        }
        if self.pool_size == 0 {
            return Err(LevelError::new(
                "a database without connections does nothing: set `pool_size` to 1 or more",
            ));
        }
        if self.max_bytes < SMALLEST_FILE {
            return Err(LevelError::new(
                "`max_bytes` is too small for a database: set it to 1048576 or more",
            ));
        }
        Ok(())
    }
}
