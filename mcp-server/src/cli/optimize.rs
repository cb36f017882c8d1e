//! `optimize`: looks after the database level.

use std::process::ExitCode;

use clap::ArgMatches;

use super::{print, print_json};
use crate::error::Error;
use crate::levels;
use crate::server::Server;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) async fn run(server: &Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let core = server.core()?;
    let config = &core.dispatch.config;
    let Some(url) = &config.cache_database_url else {
        return Err(Error::start("there is no database level: set `MCP_CACHE_DATABASE_URL`"));
    };
    let database = levels::opened(url, levels::application(config, &core.name), config)?;
    let did = database.optimize().await.map_err(|error| Error::Transport(error.to_string()))?;
    if matches.get_flag("json") {
        print_json(&did)?;
    } else {
        did.iter().for_each(|sentence| print(sentence));
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
#[expect(clippy::unused_async, reason = "has the form of the version with a database")]
pub(super) async fn run(_server: &Server, _matches: &ArgMatches) -> Result<ExitCode, Error> {
    Err(Error::start(
        "this program has no database level: add the feature `sqlite` or `postgres` to `mcp-server`",
    ))
}
