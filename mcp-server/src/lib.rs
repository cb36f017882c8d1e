//! MCP servers from annotated functions: cached, measured, conformant.
//!
//! ```no_run
//! use mcp_server::prelude::*;
//!
//! /// Adds two numbers.
//! #[tool(read_only)]
//! fn add(a: i64, b: i64) -> i64 {
//!     a + b
//! }
//!
//! mcp_server::main!();
//! ```
//!
//! That is a server: `serve` speaks stdio, `serve --http 127.0.0.1:8080` Streamable HTTP, `call add
//! '{"a": 2, "b": 3}'` runs the tool from the shell. In reading order:
//!
//! - the attributes: [`tool`](macro@tool), [`resource`](macro@resource), [`prompt`](macro@prompt),
//!   [`provider`](macro@provider), [`schema`](macro@schema),
//! - what functions take and return: [`Args`], [`Ctx`], [`Identity`], [`Dep`], [`Json`], [`Content`], [`ToolError`],
//! - a server in a program of one's own: [`Server`],
//! - who calls over HTTP: [`Authenticator`].
//!
//! # Features
//!
//! | feature | what it adds | default |
//! | --- | --- | --- |
//! | `cli` | the command line, `mcp.toml`, log lines on stderr, [`main!`] | yes |
//! | `http` | Streamable HTTP, metrics and the dashboard | yes |
//! | `redis` | a level of the cache in Redis or Valkey: `cache_redis_url` | no |
//! | `redis-tls` | the same over TLS, `rediss://` | no |
//! | `sqlite`, `postgres` | a level of the cache in a database: `cache_database_url` | no |
//! | `encryption` | private results are encrypted in these levels: `cache_encrypt` | no |
//! | `mimalloc` | the programs of [`main!`] allocate with mimalloc, which is quicker and takes more memory | no |
//! | `webhook` | alerts are posted to a URL: `alert_webhook` | no |
//! | `webhook-tls` | the same to an `https://` URL | no |
//! | `otel` | each request as a span and in metrics, through the API of OpenTelemetry | no |
//! | `otlp`, `otlp-tls` | and the pipeline to a collector: [`main!`] starts it where `OTEL_EXPORTER_OTLP_ENDPOINT` is set | no |
//! | `jwt` | access tokens of an OAuth authorization server: `Jwt`, and `auth_issuer` in the configuration | no |

#[allow(unused_extern_crates, reason = "the attributes write paths from the root of the crate")]
extern crate self as mcp_server;

mod dispatch;
mod error;
#[cfg(feature = "redis")]
mod history;
mod invalidates;
mod levels;
mod load;
mod measured;
mod operation;
mod profiler_tools;
mod record;
mod server;
mod started;
mod text_report;

mod protocol;
mod transport;

mod auth;
mod settings;
mod webhook;

#[cfg(feature = "http")]
mod admin;
#[cfg(feature = "http")]
mod metrics;

#[cfg(feature = "otlp")]
pub mod otlp;

#[cfg(feature = "cli")]
mod cli;

#[cfg(feature = "jwt")]
pub use auth::Jwt;
pub use auth::{Authenticator, Headers, ProtectedResource, Unauthorized};
pub use error::Error;
pub use load::Load;
#[cfg(feature = "cli")]
pub use mcp_core::assert_queries;
pub use mcp_core::component::BoxFuture;
pub use mcp_core::{
    Args, Cache, Completing, Components, Config, Content, Contents, Ctx, Dep, Elicited, ErrorKind, Icon,
    Identity, Json, Listed, LogLevel, Message, Pooled, PromptDef, ProviderDef, ResourceDef, Role, Root,
    Sample, Sampled, Scope, ToolDef, ToolError, ToolOutput, cache, checkpoint, clock, component, config,
    policy, profile, prompt, provider, resource, schema, step, tool, units, uri,
};
pub use protocol::Handler;
pub use server::{Called, Server};
#[cfg(feature = "http")]
pub use transport::http::{HttpService, ResponseBody};

#[doc(hidden)]
pub use mcp_core::__private;
pub use rmcp;
pub use {schemars, serde, serde_json, tokio, tracing};

/// What a file with components imports: `use mcp_server::prelude::*;`.
pub mod prelude {
    pub use crate::Server;
    pub use mcp_core::prelude::*;
}

/// Writes the `main` of a server of everything that is linked: see the crate's documentation.
///
/// It also installs an allocator that counts, so that reports say what each call allocated; a program
/// with an allocator of its own has a `main` of its own, which ends in `Server::linked().cli()`.
#[cfg(feature = "cli")]
#[macro_export]
macro_rules! main {
    () => {
        #[global_allocator]
        static __ALLOCATOR: $crate::__Allocator = $crate::__ALLOCATOR;

        fn main() -> ::std::process::ExitCode {
            // The binary's name: a package may have more than one, and `stats` finds a server by it.
            let name = option_env!("CARGO_BIN_NAME").unwrap_or(env!("CARGO_PKG_NAME"));
            $crate::__main($crate::Server::linked().name(name).version(env!("CARGO_PKG_VERSION")))
        }
    };
}

#[cfg(feature = "cli")]
#[doc(hidden)]
pub use cli::main as __main;

#[cfg(not(feature = "mimalloc"))]
#[doc(hidden)]
pub type __Allocator = mcp_core::profile::CountingAllocator;
#[cfg(not(feature = "mimalloc"))]
#[doc(hidden)]
pub const __ALLOCATOR: __Allocator = __Allocator::system();

#[cfg(feature = "mimalloc")]
#[doc(hidden)]
pub type __Allocator = mcp_core::profile::CountingAllocator<mimalloc::MiMalloc>;
#[cfg(feature = "mimalloc")]
#[doc(hidden)]
pub const __ALLOCATOR: __Allocator = __Allocator::new(mimalloc::MiMalloc);

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
