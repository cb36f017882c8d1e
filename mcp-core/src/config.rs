//! The settings of a server.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::error::ToolError;

/// The effective settings of a server: defaults, overridden by `mcp.toml`, the environment and flags.
///
/// A provider takes it as `config: &Config`; settings of one's own stand in the file's `[app]` table.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Whether the server answers calls at all.
    pub enabled: bool,
    /// Whether results are cached.
    pub cache_enabled: bool,
    /// How long results are fresh where the component says nothing.
    pub cache_duration: Duration,
    /// How many bytes the memory level holds.
    pub cache_memory_bytes: u64,
    /// Where the shared level of the cache is, a Redis; with the feature `redis` of `mcp-server`.
    pub cache_redis_url: Option<String>,
    /// Where the database level of the cache is, with the feature `sqlite` or `postgres` of `mcp-server`.
    pub cache_database_url: Option<String>,
    /// What all processes that share levels of the cache have in common, and nobody else knows.
    pub cache_secret: Option<String>,
    /// Whether private results may be in levels that are shared though there is no secret.
    pub cache_share_private: bool,
    /// Whether private results are encrypted in levels that are shared; with the feature `encryption` of `mcp-server`.
    pub cache_encrypt: bool,
    /// Whether one of many processes computes a result that all want, while the others wait a moment.
    pub cache_lease: bool,
    /// Which application the levels are shared for; the server's name where this says nothing.
    pub cache_application: Option<String>,
    /// The Redis of everything that has no URL of its own.
    pub redis_url: Option<String>,
    /// How many connections to a database there are.
    pub db_pool_size: u32,
    /// How long a statement may take.
    pub db_query_timeout: Duration,
    /// Whether shared values wait for their first use; if not, all are built at the start.
    pub lazy_loading: bool,
    /// The largest request, in bytes.
    pub max_request_size: u64,
    /// The largest result, in bytes.
    pub max_response_size: u64,
    /// How many calls run at once.
    pub max_concurrency: u32,
    /// Whether requests that need nothing but an answer go past rmcp, which answers them the same.
    pub direct_lane: bool,
    /// The smallest answer over HTTP that is compressed, in bytes.
    pub compression_threshold: u64,
    /// How long an HTTP connection may wait for its next request.
    pub keep_alive_idle: Duration,
    /// How many requests an HTTP connection may bring; `None`: any number.
    pub keep_alive_requests: Option<u32>,
    /// Whether calls are counted and timed.
    pub monitoring_enabled: bool,
    /// The share of calls whose processor time is taken; counts and times cover every call.
    pub monitoring_sample_rate: f64,
    /// From which time on a call is reported as slow, where the component says nothing.
    pub slow_threshold: Duration,
    /// How many times the 95th percentile of the last hour is slow as well; 0: no such rule.
    pub slow_factor: f64,
    /// From which time on a statement is reported as slow.
    pub slow_query_threshold: Duration,
    /// From how many equal statements on a call is reported to repeat itself.
    pub repeated_queries: u32,
    /// What the trace of a request goes on from; with the feature `otel` of `mcp-server`.
    pub trace_parent: TraceParent,
    /// Where reports, metrics and the dashboard are served, an address; where requests are, if that is loopback.
    pub admin: Option<String>,
    /// What one has to show to see them.
    pub admin_token: Option<String>,
    /// Where alerts are sent, a URL; with the feature `webhook` of `mcp-server`.
    pub alert_webhook: Option<String>,
    /// Whether clients may ask what was measured, by tools.
    pub profiler_tools: bool,
    /// The known bearer tokens as `(name, token)`; empty: everybody is anonymous.
    pub auth_tokens: Vec<(String, String)>,
    /// The OAuth issuer whose access tokens are accepted, with the feature `jwt` of `mcp-server`.
    pub auth_issuer: Option<String>,
    /// What access tokens for this server have as `aud`: its URL, most of the time.
    pub auth_audience: Option<String>,
    /// Where the keys of the issuer are, in place of where its metadata says.
    pub auth_jwks_url: Option<String>,
    /// The hosts that a request may be addressed to; empty: loopback.
    pub allowed_hosts: Vec<String>,
    /// The origins that a browser may call from, beside those of this machine.
    pub allowed_origins: Vec<String>,
    /// The `[app]` table of the file: settings of the components' own.
    pub app: serde_json::Value,
}

/// What the trace of a request goes on from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceParent {
    /// What its client says in `_meta.traceparent`, as the protocol has it; the request of HTTP is linked.
    #[default]
    Remote,
    /// The request of HTTP that brought it; what its client says is linked, for gateways that never see the
    /// client's half of a trace.
    Local,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            cache_enabled: true,
            cache_duration: Duration::from_secs(300),
            cache_memory_bytes: 10 << 20,
            cache_redis_url: None,
            cache_database_url: None,
            cache_secret: None,
            cache_share_private: false,
            cache_encrypt: false,
            cache_lease: false,
            cache_application: None,
            redis_url: None,
            db_pool_size: 10,
            db_query_timeout: Duration::from_secs(30),
            lazy_loading: true,
            max_request_size: 10 << 20,
            max_response_size: 10 << 20,
            max_concurrency: 1024,
            direct_lane: true,
            compression_threshold: 1 << 10,
            keep_alive_idle: Duration::from_secs(30),
            keep_alive_requests: None,
            monitoring_enabled: true,
            monitoring_sample_rate: 0.1,
            slow_threshold: Duration::from_secs(1),
            slow_factor: 0.0,
            slow_query_threshold: Duration::from_millis(100),
            repeated_queries: 5,
            trace_parent: TraceParent::Remote,
            admin: None,
            admin_token: None,
            alert_webhook: None,
            profiler_tools: false,
            auth_tokens: Vec::new(),
            auth_issuer: None,
            auth_audience: None,
            auth_jwks_url: None,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            app: serde_json::Value::Object(serde_json::Map::new()),
        }
    }
}

impl Config {
    /// Reads the `[app]` table into a type of one's own.
    ///
    /// # Errors
    ///
    /// Fails with serde's message where the table does not fit.
    ///
    /// # Examples
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct Own {
    ///     #[serde(default)]
    ///     database: Option<String>,
    /// }
    ///
    /// let own: Own = mcp_core::Config::default().app()?;
    /// assert_eq!(own.database, None);
    /// # Ok::<(), mcp_core::ToolError>(())
    /// ```
    pub fn app<T: DeserializeOwned>(&self) -> Result<T, ToolError> {
        T::deserialize(&self.app)
            .map_err(|error| ToolError::new(format!("the `[app]` table of the configuration: {error}")))
    }
}

/// Shows no token and nothing of the `[app]` table, which may hold secrets of the components.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("cache_enabled", &self.cache_enabled)
            .field("cache_duration", &self.cache_duration)
            .field("auth_tokens", &self.auth_tokens.len())
            .field("auth_issuer", &self.auth_issuer)
            .field("auth_audience", &self.auth_audience)
            .field("allowed_hosts", &self.allowed_hosts)
            .field("allowed_origins", &self.allowed_origins)
            .finish_non_exhaustive()
    }
}
