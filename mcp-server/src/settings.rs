//! Where the configuration comes from: defaults, `mcp.toml`, the environment, flags; each overrides
//! what stands before it.

#![cfg_attr(
    not(feature = "cli"),
    allow(dead_code, reason = "files, flags and the table of settings are the command line's")
)]

use std::collections::BTreeMap;
use std::fmt;

use mcp_core::Config;
use mcp_core::config::TraceParent;
use mcp_core::units;

use crate::error::Error;

/// One setting: its name in the file, and how text becomes its value.
pub(crate) struct Setting {
    /// The key of the file; `MCP_` and upper case make the variable, dashes the flag.
    pub(crate) key: &'static str,
    /// What it sets, with its default.
    pub(crate) help: &'static str,
    pub(crate) set: fn(&mut Config, &str) -> Result<(), String>,
    pub(crate) show: fn(&Config) -> String,
}

macro_rules! setting {
    ($key:ident, $parse:path, $help:literal) => {
        setting!($key, $parse, |value| format!("{value:?}"), $help)
    };
    ($key:ident, $parse:path, |$value:ident| $show:expr, $help:literal) => {
        Setting {
            key: stringify!($key),
            help: $help,
            set: |config, text| {
                config.$key = $parse(text)?;
                Ok(())
            },
            show: |config| {
                let $value = &config.$key;
                $show
            },
        }
    };
}

/// All settings of this version, in the order of the documentation.
pub(crate) const SETTINGS: &[Setting] = &[
    setting!(enabled, boolean, "whether the server starts at all (true)"),
    setting!(cache_enabled, boolean, "whether results are cached (true)"),
    setting!(
        cache_duration,
        units::duration,
        "how long results are fresh where the component says nothing (300s)"
    ),
    setting!(cache_memory_bytes, units::bytes, "what the memory level holds (10MiB)"),
    setting!(cache_redis_url, text, |url| hidden(url), "the Redis that processes share results in (none)"),
    setting!(
        cache_database_url,
        text,
        |url| hidden(url),
        "the database that keeps results, sqlite://file or postgres://.. (none)"
    ),
    setting!(
        cache_secret,
        secret,
        |secret| hidden(secret),
        "what all who share levels of the cache have in common, and nobody else knows (none)"
    ),
    setting!(
        cache_share_private,
        boolean,
        "whether private results may be in shared levels without a secret (false)"
    ),
    setting!(cache_encrypt, boolean, "whether private results are encrypted in shared levels (false)"),
    setting!(cache_lease, boolean, "whether one of many processes computes what all want (false)"),
    setting!(
        cache_application,
        text,
        |name| name.clone().unwrap_or_else(|| "the server's name".to_owned()),
        "which application shared levels are for (the server's name)"
    ),
    setting!(redis_url, text, |url| hidden(url), "the Redis of everything that has none of its own (none)"),
    setting!(db_pool_size, count, "how many connections to a database there are (10)"),
    setting!(db_query_timeout, units::duration, "how long a statement may take (30s)"),
    setting!(lazy_loading, boolean, "whether shared values wait for their first use (true)"),
    setting!(max_request_size, units::bytes, "the largest request (10MiB)"),
    setting!(max_response_size, units::bytes, "the largest result (10MiB)"),
    setting!(max_concurrency, count, "how many calls run at once (1024)"),
    setting!(direct_lane, boolean, "whether plain requests go past rmcp, which answers them the same (true)"),
    setting!(compression_threshold, units::bytes, "the smallest answer over HTTP that is compressed (1KiB)"),
    setting!(keep_alive_idle, units::duration, "how long an HTTP connection may wait for a request (30s)"),
    setting!(
        keep_alive_requests,
        requests,
        |most| most.map_or_else(|| "unlimited".to_owned(), |most| most.to_string()),
        "how many requests an HTTP connection may bring (unlimited)"
    ),
    setting!(monitoring_enabled, boolean, "whether calls are counted and timed (true)"),
    setting!(monitoring_sample_rate, share, "the share of calls whose processor time is taken (0.1)"),
    setting!(slow_threshold, units::duration, "from which time on a call is reported as slow (1s)"),
    setting!(
        slow_factor,
        factor,
        "how many times the 95th percentile of the last hour is slow as well (0: no such rule)"
    ),
    setting!(
        slow_query_threshold,
        units::duration,
        "from which time on a statement is reported as slow (100ms)"
    ),
    setting!(
        repeated_queries,
        count,
        "from how many equal statements on a call is reported to repeat itself (5)"
    ),
    setting!(
        trace_parent,
        trace_parent,
        |parent| format!("{parent:?}").to_lowercase(),
        "what a trace goes on from, remote (what the client says) or local (the request of HTTP) (remote)"
    ),
    setting!(
        admin,
        text,
        |address| shown(address),
        "where metrics and the dashboard are served (where requests are, if that is loopback)"
    ),
    setting!(
        admin_token,
        secret,
        |token| hidden(token),
        "what one shows to see them; needed off loopback (none)"
    ),
    setting!(alert_webhook, text, |url| hidden(url), "where alerts are sent, a URL (none)"),
    setting!(profiler_tools, boolean, "whether clients may ask what was measured, by tools (false)"),
    setting!(
        auth_tokens,
        tokens,
        |tokens| match tokens.len() {
            0 => "none".to_owned(),
            known => format!("{known} known"),
        },
        "the known bearer tokens, `alice=token,bob=token` (none: everybody is anonymous)"
    ),
    setting!(
        auth_issuer,
        text,
        |issuer| shown(issuer),
        "the OAuth issuer whose access tokens are accepted, a URL (none)"
    ),
    setting!(auth_audience, text, |audience| shown(audience), "what access tokens have as `aud` (none)"),
    setting!(
        auth_jwks_url,
        text,
        |url| shown(url),
        "where the keys of the issuer are (where its metadata says)"
    ),
    setting!(allowed_hosts, list, "the hosts that requests may be addressed to (loopback)"),
    setting!(allowed_origins, list, "the origins that browsers may call from, beside loopback (none)"),
];

/// Variables of the design that this version does not act on: asking for one must not be silent.
const LATER: &[&str] = &[
    "connection_pooling",
    "async_threshold",
    "batch_size",
    "memory_warning",
    "db_chunk_size",
    "default_queue",
    "high_priority_queue",
    "low_priority_queue",
    "batch_queue",
    "queue_retry_after",
    "queue_url",
];

/// The effective configuration, with where each value came from.
pub(crate) struct Settings {
    pub(crate) config: Config,
    sources: BTreeMap<&'static str, Source>,
    /// What stands in the file, taken or not; `None` where there is none, or one that cannot be read.
    in_file: Option<Vec<(String, String)>>,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File,
    Environment,
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::File => "mcp.toml",
            Self::Environment => "environment",
            Self::Flag => "flag",
        })
    }
}

/// Returns the configuration of the file and the environment.
pub(crate) fn from_environment() -> Result<Config, Error> {
    let mut settings = Settings::new();
    settings.read_all(environment(), std::iter::empty())?;
    Ok(settings.config)
}

/// Returns the variables of the process that are text; others are no settings of ours.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

impl Settings {
    pub(crate) fn new() -> Self {
        Self { config: Config::default(), sources: BTreeMap::new(), in_file: None }
    }

    /// Reads the file of the working directory, the given environment and the given flags.
    pub(crate) fn read_all(
        &mut self,
        environment: impl Iterator<Item = (String, String)>,
        flags: impl Iterator<Item = (String, String)>,
    ) -> Result<(), Error> {
        let mut mistakes = Vec::new();
        #[cfg(feature = "cli")]
        match std::fs::read_to_string("mcp.toml") {
            Ok(text) => mistakes.extend(self.read_file(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => mistakes.push(format!("mcp.toml cannot be read: {error}")),
        }
        mistakes.extend(self.read_environment(environment));
        mistakes.extend(self.set_flags(flags));
        if mistakes.is_empty() { Ok(()) } else { Err(Error::Start(mistakes.into())) }
    }

    /// Starts from settings that a program chose, which only flags override.
    #[cfg(feature = "cli")]
    pub(crate) fn of(config: Config) -> Self {
        Self { config, sources: BTreeMap::new(), in_file: None }
    }

    /// Reads flags alone.
    #[cfg(feature = "cli")]
    pub(crate) fn read_flags(&mut self, flags: impl Iterator<Item = (String, String)>) -> Result<(), Error> {
        let mistakes = self.set_flags(flags);
        if mistakes.is_empty() { Ok(()) } else { Err(Error::Start(mistakes.into())) }
    }

    fn set_flags(&mut self, flags: impl Iterator<Item = (String, String)>) -> Vec<String> {
        let set = flags.filter_map(|(key, value)| {
            let error = self.set(&key, &value, Source::Flag).err()?;
            Some(format!("--{}: {error}", key.replace('_', "-")))
        });
        set.collect()
    }

    /// Reads a configuration file; returns its mistakes.
    #[cfg(feature = "cli")]
    pub(crate) fn read_file(&mut self, text: &str) -> Vec<String> {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            // What it displays quotes the line, which may hold a secret.
            Err(error) => {
                let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                return vec![format!("mcp.toml: line {line}: {}", error.message())];
            }
        };
        let mut mistakes = Vec::new();
        self.in_file.get_or_insert_default();
        for (name, value) in table {
            let value = serde_json::to_value(value).unwrap_or_default();
            match (name.as_str(), value.is_object()) {
                ("app", true) => self.config.app = value,
                ("app", false) => {
                    mistakes
                        .push("mcp.toml: `app` is a table of your own settings: write `[app]`".to_owned());
                }
                _ => self.read_value(&name, &value, &mut mistakes),
            }
        }
        mistakes
    }

    /// Sets what one key of the file holds; `[cache] duration` is the same as `cache_duration`.
    #[cfg(feature = "cli")]
    fn read_value(&mut self, key: &str, value: &serde_json::Value, mistakes: &mut Vec<String>) {
        use serde_json::Value;

        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let text = match value {
            Value::Object(table) if key == "auth_tokens" => {
                let pairs = table.iter().map(|(name, token)| format!("{name}={}", plain(token)));
                pairs.collect::<Vec<_>>().join(",")
            }
            Value::Object(table) => {
                for (name, value) in table {
                    self.read_value(&format!("{key}_{name}"), value, mistakes);
                }
                return;
            }
            Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
            other => plain(other),
        };
        self.in_file.get_or_insert_default().push((key.to_owned(), text.clone()));
        mistakes.extend(self.set(key, &text, Source::File).err().map(|error| format!("mcp.toml: {error}")));
    }

    /// Reads `MCP_*` variables; returns their mistakes.
    ///
    /// Other programs have variables of that prefix too, so an unknown one is a mistake only where it
    /// looks like a misspelled one of ours.
    pub(crate) fn read_environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Vec<String> {
        let mut mistakes = Vec::new();
        for (variable, value) in variables {
            let Some(key) = variable.strip_prefix("MCP_") else { continue };
            let key = key.to_ascii_lowercase();
            let is_ours = SETTINGS.iter().any(|setting| setting.key == key) || LATER.contains(&key.as_str());
            if is_ours || nearest(&key).is_some() {
                let set = self.set(&key, &value, Source::Environment);
                mistakes.extend(set.err().map(|error| format!("{variable}: {error}")));
            }
        }
        mistakes
    }

    fn set(&mut self, key: &str, value: &str, source: Source) -> Result<(), String> {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
            if LATER.contains(&key) {
                return Err(format!("`{key}` does nothing in this version: remove it"));
            }
            let hint = nearest(key).map_or_else(
                || {
                    format!(
                        "the settings are {}",
                        SETTINGS.iter().map(|s| format!("`{}`", s.key)).collect::<Vec<_>>().join(", ")
                    )
                },
                |near| format!("did you mean `{near}`?"),
            );
            return Err(format!("unknown setting `{key}`; {hint}"));
        };
        (setting.set)(&mut self.config, value).map_err(|error| format!("`{key}`: {error}"))?;
        self.sources.insert(setting.key, source);
        Ok(())
    }

    /// Returns the keys and values of the file, whatever overrides them; `None` where none was read.
    #[cfg(feature = "cli")]
    pub(crate) fn in_file(&self) -> Option<&[(String, String)]> {
        self.in_file.as_deref()
    }

    /// Returns each setting with its effective value and where that came from.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'static Setting, String, Source)> {
        SETTINGS.iter().map(|setting| {
            let source = self.sources.get(setting.key).copied().unwrap_or(Source::Default);
            (setting, (setting.show)(&self.config), source)
        })
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is neither: write `true` or `false`")),
    }
}

fn count(text: &str) -> Result<u32, String> {
    let count = text.trim().parse().ok().filter(|count| (1..=1_000_000).contains(count));
    count.ok_or_else(|| format!("`{text}` is no count: write a number from 1 to 1000000"))
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("`{text}` is no share: write a number from 0 to 1"))
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.trim().parse().ok().filter(|factor| *factor == 0.0 || (1.0..=1000.0).contains(factor));
    factor.ok_or_else(|| format!("`{text}` is no factor: write 0, or a number from 1 to 1000"))
}

fn trace_parent(text: &str) -> Result<TraceParent, String> {
    match text.trim() {
        "remote" => Ok(TraceParent::Remote),
        "local" => Ok(TraceParent::Local),
        _ => Err(format!("`{text}` is neither: write `remote` or `local`")),
    }
}

fn requests(text: &str) -> Result<Option<u32>, String> {
    if text.trim().eq_ignore_ascii_case("unlimited") { Ok(None) } else { count(text).map(Some) }
}

#[expect(clippy::unnecessary_wraps, reason = "has the form of the other parsers")]
fn list(text: &str) -> Result<Vec<String>, String> {
    Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(ToOwned::to_owned).collect())
}

fn text(text: &str) -> Result<Option<String>, String> {
    match text.trim() {
        // An empty variable must not open the server to everybody.
        "" => Err("this is empty: write a value, or remove it".to_owned()),
        text => Ok(Some(text.to_owned())),
    }
}

fn shown(text: &Option<String>) -> String {
    text.clone().unwrap_or_else(|| "none".to_owned())
}

/// Shows that there is one: it is a secret, or may have a password in it.
fn hidden(text: &Option<String>) -> String {
    if text.is_some() { "set" } else { "none" }.to_owned()
}

fn secret(secret: &str) -> Result<Option<String>, String> {
    const SHORTEST: usize = 16;
    let secret = text(secret)?;
    if secret.as_ref().is_some_and(|secret| secret.len() < SHORTEST) {
        return Err(format!("this can be guessed: write at least {SHORTEST} random characters"));
    }
    Ok(secret)
}

fn tokens(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut known: Vec<(String, String)> = Vec::new();
    for pair in list(text)? {
        // The value is a secret: no message repeats it.
        let (name, token) =
            pair.split_once('=').ok_or("a token has no name: write `alice=token,bob=token`")?;
        let (name, token) = (name.trim(), token.trim());
        if name.is_empty() || token.is_empty() {
            return Err("a name or a token is empty: write `alice=token,bob=token`".to_owned());
        }
        if known.iter().any(|(_, other)| other == token) {
            // Nor the name, which is the secret where that alone was written and ends in `=`.
            let number = known.len() + 1;
            return Err(format!("number {number} has the token of another: give each a token of its own"));
        }
        known.push((name.to_owned(), token.to_owned()));
    }
    Ok(known)
}

/// Returns the known key that a misspelled one is nearest to, if one is near.
fn nearest(key: &str) -> Option<&'static str> {
    let all = SETTINGS.iter().map(|setting| setting.key).chain(LATER.iter().copied());
    let (distance, near) = all.map(|known| (distance(key, known), known)).min()?;
    (distance <= 2 && distance * 3 < key.len()).then_some(near)
}

/// Returns the edit distance of two words (Levenshtein, with neighbours that changed places as one edit).
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<_>, Vec<_>) = (a.bytes().collect(), b.bytes().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let swap = (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                .then(|| rows[i - 2][j - 2] + 1);
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let least = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            row.push(least.min(swap.unwrap_or(usize::MAX)));
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> (Settings, Vec<String>) {
        let mut settings = Settings::new();
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mistakes = settings.read_environment(pairs);
        (settings, mistakes)
    }

    #[test]
    fn variables_override_and_say_where_a_value_came_from() {
        let (settings, mistakes) =
            variables(&[("MCP_CACHE_DURATION", "1m"), ("MCP_TOOL_TIMEOUT", "of another program")]);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(settings.config.cache_duration, Duration::from_secs(60));
        let row = settings.rows().find(|(setting, ..)| setting.key == "cache_duration").unwrap();
        assert_eq!((row.1.as_str(), row.2), ("60s", Source::Environment));
    }

    #[test]
    fn mistakes_say_what_to_write_and_repeat_no_secret() {
        for (name, value, expected) in [
            ("MCP_CACHE_DURATOIN", "1m", "unknown setting `cache_duratoin`; did you mean `cache_duration`?"),
            ("MCP_CACHE_ENABLED", "maybe", "`cache_enabled`: `maybe` is neither: write `true` or `false`"),
            ("MCP_QUEUE_URL", "redis://x", "`queue_url` does nothing in this version: remove it"),
            (
                "MCP_CACHE_SECRET",
                "s3cret",
                "`cache_secret`: this can be guessed: write at least 16 random characters",
            ),
            (
                "MCP_MAX_CONCURRENCY",
                "0",
                "`max_concurrency`: `0` is no count: write a number from 1 to 1000000",
            ),
            (
                "MCP_AUTH_TOKENS",
                "s3cret",
                "`auth_tokens`: a token has no name: write `alice=token,bob=token`",
            ),
            ("MCP_AUTH_ISSUER", " ", "`auth_issuer`: this is empty: write a value, or remove it"),
            (
                "MCP_AUTH_TOKENS",
                "a=x,b=x",
                "`auth_tokens`: number 2 has the token of another: give each a token of its own",
            ),
        ] {
            assert_eq!(variables(&[(name, value)]).1, [format!("{name}: {expected}")]);
        }
    }

    #[cfg(feature = "cli")]
    #[test]
    fn the_file_knows_flat_and_nested_keys_and_an_app_table() {
        let mut settings = Settings::new();
        let text = "max_concurrency = 8\nallowed_hosts = [\"a.example\"]\n[cache]\nduration = \"5m\"\nmemory_bytes = 1024\n\
                    [auth_tokens]\nalice = \"x\"\n[app]\nbook = \"x.db\"\n";
        assert_eq!(settings.read_file(text), Vec::<String>::new());
        assert_eq!(settings.config.cache_duration, Duration::from_secs(300));
        assert_eq!(settings.config.cache_memory_bytes, 1024);
        assert_eq!(settings.config.auth_tokens, [("alice".to_owned(), "x".to_owned())]);
        assert_eq!(settings.config.app["book"], "x.db");
        let mistakes = settings.read_file("[cach]\nenabled = true\n");
        assert_eq!(mistakes, ["mcp.toml: unknown setting `cach_enabled`; did you mean `cache_enabled`?"]);
    }
}
