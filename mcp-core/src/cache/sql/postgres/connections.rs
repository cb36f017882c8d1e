//! The connections to a server, opened when they are needed.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::sync::Mutex;

use super::schema;
use crate::cache::level::LevelError;
use crate::cache::level::PoolFigures;
use crate::cache::sql::gate::{Gate, Lent, Refused, explain};
use crate::cache::sql::options::DatabaseOptions;

/// A server, of which clones share the connections.
#[derive(Clone)]
pub(in crate::cache::sql) struct Postgres {
    shared: Arc<Shared>,
}

struct Shared {
    connect: PgConnectOptions,
    options: DatabaseOptions,
    gate: Gate,
    pool: OnceLock<PgPool>,
    prepared: AtomicBool,
    preparing: Mutex<()>,
}

impl Postgres {
    /// Takes a whole address.
    pub(in crate::cache::sql) fn new(url: &str, options: DatabaseOptions) -> Result<Self, LevelError> {
        let connect = PgConnectOptions::from_str(url).map_err(|_| {
            // The reason could quote the address, and with it the password.
            LevelError::new(
                "the address of the database cannot be read: write `postgres://user@host:5432/name`",
            )
        })?;
        // An operator sees in `pg_stat_activity` whose connections these are.
        let name = format!("mcp cache {}", options.application);
        let shared = Shared {
            connect: connect.application_name(&name).disable_statement_logging(),
            gate: Gate::new(options.pool_size, options.acquire_timeout),
            pool: OnceLock::new(),
            prepared: AtomicBool::new(false),
            preparing: Mutex::default(),
            options,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(super) fn application(&self) -> &str {
        &self.shared.options.application
    }

    /// Lends a connection to a server where the tables are.
    pub(super) async fn connection(&self) -> Result<Lent<sqlx::Postgres>, LevelError> {
        // Here and not in `new`: a pool wants to be made inside a runtime.
        let pool = self.shared.pool.get_or_init(|| {
            let options = PgPoolOptions::new().max_connections(self.shared.options.pool_size);
            let options = options.acquire_timeout(self.shared.options.acquire_timeout);
            options.test_before_acquire(false).connect_lazy_with(self.shared.connect.clone())
        });
        let mut lent = self.shared.gate.lend(pool).await.map_err(Refused::explain)?;
        if !self.shared.prepared.load(Relaxed) {
            let _one_at_a_time = self.shared.preparing.lock().await;
            schema::prepare(&mut lent).await.map_err(|error| explain(&error))?;
            self.shared.prepared.store(true, Relaxed);
        }
        Ok(lent)
    }

    /// Opens a pool of one connection that is nobody else's.
    pub(super) fn own_connection(&self) -> PgPool {
        let options = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
        let options = options.acquire_timeout(self.shared.options.acquire_timeout);
        options.max_lifetime(None).idle_timeout(None).connect_lazy_with(self.shared.connect.clone())
    }

    /// Explains an error, and looks at the tables again where it says that they are gone.
    pub(super) fn failed(&self, error: &sqlx::Error) -> LevelError {
        // A table, a column or a schema that is not there.
        const GONE: [&str; 3] = ["42P01", "42703", "3F000"];
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        if code.is_some_and(|code| GONE.contains(&code.as_ref())) {
            self.shared.prepared.store(false, Relaxed);
        }
        explain(error)
    }

    pub(super) fn figures(&self) -> PoolFigures {
        let pool = self.shared.pool.get();
        self.shared.gate.figures(pool.map_or(0, PgPool::size), pool.map_or(0, PgPool::num_idle))
    }

    pub(super) fn address(&self) -> String {
        let connect = &self.shared.connect;
        let database = connect.get_database().unwrap_or_default();
        format!("postgres://{}:{}/{database}", connect.get_host(), connect.get_port())
    }
}
