//! All that is looked at before anything is judged.

use std::collections::BTreeSet;

use mcp_core::Config;
use mcp_core::component::{Def, Kind};
use mcp_core::policy::CachePolicy;
use mcp_core::profile::{Report, counts_allocations, sql, trusts_counter};

use super::address::Address;
use super::machine::Machine;
use super::{overhead, reached};
use crate::auth;
use crate::error::Error;
use crate::levels::{self, redis_url};
use crate::server::Server;
use crate::settings::{SETTINGS, Settings};
use crate::webhook;

/// All that is looked at.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) build: Build,
    pub(super) config: Config,
    /// What was mistaken in the settings when they were read.
    pub(super) mistakes: Vec<String>,
    /// What keeps the server from starting, but for what is told of one setting below.
    pub(super) start: Vec<String>,
    pub(super) file: Option<File>,
    pub(super) machine: Machine,
    /// Whether the program has a way of its own to tell callers apart.
    pub(super) own_authenticator: bool,
    /// What is wrong with the settings of access tokens.
    pub(super) auth_mistake: Option<String>,
    /// What is wrong with the address of alerts.
    pub(super) webhook_mistake: Option<String>,
    pub(super) redis: Option<Result<RedisSeen, String>>,
    pub(super) database: Option<Result<DatabaseSeen, String>>,
    /// Whether the profiler's clock is the processor's counter.
    pub(super) counter: bool,
    /// What a call takes with the profiler and without, in nanoseconds; `None` where it was not measured.
    pub(super) overhead: Option<(u64, u64)>,
    pub(super) sql: sql::State,
    pub(super) collectors: Result<Vec<Collector>, String>,
    /// `None` where they could not be sorted.
    pub(super) components: Option<Vec<Component>>,
    pub(super) running: Vec<Result<Report, String>>,
    pub(super) history: Option<Result<Past, String>>,
}

/// How the program was built.
#[derive(Clone, Copy, Debug)]
pub(super) struct Build {
    pub(super) debug: bool,
    pub(super) aborts: bool,
    pub(super) counted: bool,
}

/// The configuration file.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// Who may do what with it, as `chmod` has it.
    pub(super) mode: u32,
    /// The settings in it that are secrets, be they overridden; and [`APP`].
    pub(super) secrets: Vec<&'static str>,
}

/// Settings of the program's own, of which nobody here knows whether they are secrets.
pub(super) const APP: &str = "[app]";

/// What a Redis is that answers; `None` is what it does not tell.
#[derive(Clone, Debug, Default)]
pub(super) struct RedisSeen {
    pub(super) version: Option<String>,
    pub(super) max_memory: Option<u64>,
    pub(super) policy: Option<String>,
    /// How many milliseconds its clock is ahead of ours.
    pub(super) ahead_ms: Option<i64>,
}

/// What became of the database level.
#[derive(Clone, Debug)]
pub(super) struct DatabaseSeen {
    /// Whether there is one already: it is made by the server that needs it.
    pub(super) exists: bool,
    /// Why the one that is there would be removed, or moved aside, by the server that needs it.
    pub(super) anew: Option<&'static str>,
    /// The file system that a file is on, where that is one over the network.
    pub(super) network: Option<String>,
}

/// A collector of OpenTelemetry.
#[derive(Clone, Debug)]
pub(super) struct Collector {
    pub(super) variable: &'static str,
    /// Host and port.
    pub(super) place: String,
    pub(super) answer: Result<(), String>,
}

/// What is looked at of one component.
#[derive(Clone, Debug)]
pub(super) struct Component {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) is_described: bool,
    /// Of a tool: whether it says what it may do.
    pub(super) is_hinted: bool,
    pub(super) has_timeout: bool,
    /// Whether calls of it are counted, and clients see it.
    pub(super) is_expected: bool,
    pub(super) cache: Option<CachePolicy>,
}

/// What the history in Redis says.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// How many days ago the first hour of it was; `None` where there is none.
    pub(super) days: Option<u64>,
    /// Kind and name of what was called.
    pub(super) called: BTreeSet<(String, String)>,
}

impl Facts {
    /// Looks at everything; what waits does so at the same time, and none of it for longer than 3 s.
    pub(super) async fn gather(server: &Server, settings: &Settings, mistakes: Vec<String>) -> Self {
        let config = settings.config.clone();
        let (name, version) = server.server_name();
        let registry = server.registry();
        let components = registry.as_ref().ok();
        let components = components.map(|all| all.entries().iter().map(|entry| Component::of(entry.def)));
        let components = components.map(Iterator::collect::<Vec<_>>);

        // A way of the program's own takes the place of the configured one, which nobody looks at then.
        let auth_mistake = match server.has_authenticator() {
            true => None,
            false => auth::configured(&config).err().map(|error| error.to_string()),
        };
        let webhook_mistake = webhook::refused(&config);
        let (redis, database, collectors, running, history) = tokio::join!(
            reached::redis(&config, name),
            reached::database(&config, name),
            reached::collectors(),
            reached::running(name),
            reached::history(&config, name),
        );
        // What is told of a level is not told again.
        let level = [
            redis.as_ref().and_then(|seen| seen.as_ref().err()),
            database.as_ref().and_then(|seen| seen.as_ref().err()),
        ];
        let told: Vec<_> = level.into_iter().flatten().chain(&auth_mistake).chain(&webhook_mistake).collect();
        let mut start = match server.core() {
            Err(Error::Start(mistakes)) => mistakes.to_vec(),
            Err(error) => vec![error.to_string()],
            Ok(_) => Vec::new(),
        };
        let levels = if config.cache_enabled { levels::configured(&config, name).err() } else { None };
        let levels = levels.map(|error| error.to_string()).filter(|mistake| !start.contains(mistake));
        start.extend(levels);
        start.retain(|mistake| !told.contains(&mistake));

        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            build: Build::of_this(),
            file: File::read(settings),
            mistakes,
            start,
            machine: Machine::read(),
            own_authenticator: server.has_authenticator(),
            auth_mistake,
            webhook_mistake,
            redis,
            database,
            counter: trusts_counter(),
            // Last, when nothing else runs.
            overhead: if Build::of_this().debug { None } else { overhead::measured().await },
            sql: sql::state(),
            collectors,
            components,
            running,
            history,
            config,
        }
    }

    /// Returns whether callers over HTTP are asked who they are.
    pub(super) fn asks_callers(&self) -> bool {
        self.own_authenticator || !self.config.auth_tokens.is_empty() || self.config.auth_issuer.is_some()
    }

    /// Returns whether results go to another machine.
    pub(super) fn leaves_machine(&self) -> bool {
        let database = self.config.cache_database_url.as_deref();
        let urls = redis_url(&self.config).into_iter().chain(database);
        self.config.cache_enabled
            && urls.filter_map(Address::read).any(|url| url.scheme != "sqlite" && !url.is_local())
    }

    /// Returns whether there is a level below memory.
    pub(super) fn has_levels(&self) -> bool {
        self.config.cache_enabled && (self.redis.is_some() || self.database.is_some())
    }
}

impl Build {
    fn of_this() -> Self {
        Self { debug: cfg!(debug_assertions), aborts: cfg!(panic = "abort"), counted: counts_allocations() }
    }
}

impl File {
    /// Looks at the file of the working directory, where it was read.
    #[cfg(unix)]
    fn read(settings: &Settings) -> Option<Self> {
        use std::os::unix::fs::PermissionsExt as _;

        let written = settings.in_file()?;
        let data = std::fs::metadata("mcp.toml").ok()?;
        Some(Self { mode: data.permissions().mode() & 0o777, secrets: secrets(settings, written) })
    }

    #[cfg(not(unix))]
    fn read(_settings: &Settings) -> Option<Self> {
        None
    }
}

/// Returns what in the file others must not read.
#[cfg_attr(not(unix), expect(dead_code, reason = "a file has a mode on Unix only"))]
fn secrets(settings: &Settings, written: &[(String, String)]) -> Vec<&'static str> {
    let is_secret = |key: &str, value: &str| match key {
        "cache_secret" | "admin_token" | "alert_webhook" | "auth_tokens" => true,
        "cache_redis_url" | "cache_database_url" | "redis_url" => {
            Address::read(value).is_some_and(|address| address.has_password)
        }
        _ => false,
    };
    let keys = SETTINGS.iter().map(|setting| setting.key);
    let mut all: Vec<_> = keys
        .filter(|key| written.iter().any(|(written, value)| written == key && is_secret(key, value)))
        .collect();
    if settings.config.app.as_object().is_some_and(|app| !app.is_empty()) {
        all.push(APP);
    }
    all
}

impl Component {
    fn of(def: &Def) -> Self {
        let is_hinted = match def.kind {
            Kind::Tool(part) => part.read_only.is_some() || part.destructive.is_some(),
            _ => true,
        };
        Self {
            kind: def.kind.word(),
            name: def.name.to_owned(),
            is_described: !def.description.trim().is_empty(),
            is_hinted,
            has_timeout: def.timeout.is_some(),
            is_expected: def.profile && !def.hidden,
            cache: def.cache,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_holds_is_secret_though_something_else_overrides_it() {
        let of = |text: &str, variable: (&str, &str)| {
            let mut settings = Settings::new();
            settings.read_file(text);
            settings.read_environment([(variable.0.to_owned(), variable.1.to_owned())].into_iter());
            settings.in_file().map(|written| secrets(&settings, written))
        };
        let none = ("MCP_X", "");
        let other = ("MCP_ADMIN_TOKEN", "another-token-of-the-environment");
        assert_eq!(of("admin_token = \"0123456789abcdef\"", other), Some(vec!["admin_token"]));
        // It is too short to be taken, and somebody's all the same.
        assert_eq!(of("[admin]\ntoken = \"short\"", none), Some(vec!["admin_token"]));
        let url = ("MCP_REDIS_URL", "redis://plain.example");
        assert_eq!(of("redis_url = \"redis://:p@a.example\"", url), Some(vec!["redis_url"]));
        let url = ("MCP_REDIS_URL", "redis://:p@a.example");
        assert_eq!(of("redis_url = \"redis://plain.example\"", url), Some(vec![]));
        assert_eq!(of("[auth_tokens]\nalice = \"t\"", none), Some(vec!["auth_tokens"]));
        assert_eq!(of("[app]\nkey = 1", none), Some(vec![APP]));
        assert_eq!(of("[app]", none), Some(vec![]));
        assert_eq!(of("app = [", none), None, "nothing is known of it");
    }
}
