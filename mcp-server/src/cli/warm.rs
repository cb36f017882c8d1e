//! `cache warm`: makes results ready before anybody asks, from calls that were recorded.

use std::path::Path;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};
use mcp_core::cache::CacheOutcome;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{eprintln_line, json as json_flag, print, print_json};
use crate::error::Error;
use crate::server::{Called, Server};

/// One recorded request; notifications, answers and other requests are no calls.
#[derive(Deserialize)]
struct Recorded {
    #[serde(default)]
    method: String,
    #[serde(default)]
    params: Params,
}

#[derive(Default, Deserialize)]
struct Params {
    #[serde(default)]
    name: String,
    #[serde(default)]
    uri: String,
    #[serde(default)]
    arguments: Map<String, Value>,
}

/// What has become of the recorded calls.
#[derive(Default)]
struct Counts {
    computed: usize,
    there: usize,
    uncached: usize,
    failed: usize,
    skipped: usize,
}

pub(super) fn command(example: impl Fn(&str) -> String) -> Command {
    Command::new("warm")
        .about("Computes the results of recorded calls, so that those who share a level find them")
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(std::path::PathBuf))
                .help("one JSON-RPC request on a line, as over stdio; `tee` records them"),
        )
        .arg(json_flag("print the counts as JSON"))
        .after_help(example("cache warm calls.jsonl"))
}

pub(super) async fn run(server: &Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    if !server.cache()?.has_levels() {
        return Err(Error::start(
            "there is no level to warm, and memory ends with this process: set `MCP_CACHE_REDIS_URL` or `MCP_CACHE_DATABASE_URL`",
        ));
    }
    let Some(path) = matches.get_one::<std::path::PathBuf>("file") else { return Ok(ExitCode::FAILURE) };
    let mut counts = Counts::default();
    for (number, line) in lines(path)?.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let called = match serde_json::from_str::<Value>(line) {
            // Other messages have parameters of other forms.
            Ok(message) => match Recorded::deserialize(message) {
                Ok(recorded) => call(server, recorded).await,
                Err(_) => None,
            },
            Err(error) => Some(Err(Error::Transport(format!("no JSON: {error}")))),
        };
        match called {
            None => counts.skipped += 1,
            Some(Err(error)) => {
                counts.failed += 1;
                eprintln_line(&format!("line {}: {error}", number + 1));
            }
            Some(Ok(called)) if called.is_error() => {
                counts.failed += 1;
                eprintln_line(&format!("line {}: {}", number + 1, called.text()));
            }
            Some(Ok(called)) => match called.cache {
                CacheOutcome::Computed => counts.computed += 1,
                CacheOutcome::Bypass => counts.uncached += 1,
                _ => counts.there += 1,
            },
        }
    }
    let Counts { computed, there, uncached, failed, skipped } = counts;
    if matches.get_flag("json") {
        print_json(&json!({
            "computed": computed, "there": there, "uncached": uncached, "failed": failed, "skipped": skipped,
        }))?;
    } else {
        print(&format!(
            "{computed} computed, {there} were there, {uncached} are not cached, {failed} failed, {skipped} lines are no calls"
        ));
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn lines(path: &Path) -> Result<Vec<String>, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::start(format!("{} cannot be read: {error}", path.display())))?;
    Ok(text.lines().map(ToOwned::to_owned).collect())
}

/// Calls what was called; `None` for what is no call.
async fn call(server: &Server, recorded: Recorded) -> Option<Result<Called, Error>> {
    let Recorded { method, params: Params { name, uri, arguments } } = recorded;
    match &*method {
        "tools/call" => Some(server.call_tool(&name, arguments.into()).await),
        "resources/read" => Some(server.read_resource(&uri).await),
        "prompts/get" => {
            let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            let arguments = arguments.into_iter().map(|(name, value)| (name, text(value))).collect();
            Some(server.get_prompt(&name, arguments).await)
        }
        _ => None,
    }
}
