//! The servers of a name, and what each says that it measured.

use clap::{Arg, ArgMatches};
use mcp_core::profile::Span;
use serde_json::json;

use crate::cli::control::{self, Seen};
use crate::error::Error;

/// Asks all servers that run under a name; those that ended in between are left out.
pub(super) async fn running(name: &str, matches: &ArgMatches) -> Vec<Result<Seen, Error>> {
    let mut all = Vec::new();
    for running in control::running(name, matches.get_one::<u32>("pid").copied()) {
        let answer = match running.ask(&json!({ "ask": "stats" })).await {
            Ok(Some(answer)) => {
                serde_json::from_value(answer).map_err(|error| Error::Transport(error.to_string()))
            }
            Ok(None) => continue,
            Err(error) => Err(error),
        };
        all.push(answer);
    }
    all
}

/// Returns the argument by which one chooses the time that figures are of.
pub(super) fn window(default: Span) -> Arg {
    Arg::new("window")
        .long("window")
        .value_name("SPAN")
        .value_parser(Span::ALL.map(Span::word))
        .default_value(default.word())
        .help("the time up to now that the figures are of")
}

/// Returns the time that was chosen.
pub(super) fn span(matches: &ArgMatches) -> Span {
    let word = matches.get_one::<String>("window").map_or("", String::as_str);
    Span::ALL.into_iter().find(|span| span.word() == word).unwrap_or(Span::Start)
}
