//! The command.

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::facts::Facts;
use super::report;
use crate::cli::stats::Page;
use crate::cli::{json, print, print_json};
use crate::error::Error;
use crate::server::Server;
use crate::settings::Settings;

pub(crate) fn command(example: impl Fn(&str) -> String) -> Command {
    Command::new("check")
        .about(
            "Says what is not ready for production, and what to type; fails where something must be changed",
        )
        .arg(json("print what was found as JSON"))
        .arg(
            Arg::new("settings")
                .long("settings")
                .action(ArgAction::SetTrue)
                .help("show the settings that have their defaults too"),
        )
        .after_help(example("check --json"))
}

/// Checks the server; `mistakes` are those of its settings, which are told with the rest.
pub(crate) async fn run(
    server: &Server,
    settings: &Settings,
    mistakes: Vec<String>,
    matches: &ArgMatches,
) -> Result<ExitCode, Error> {
    let facts = Facts::gather(server, settings, mistakes).await;
    let verdicts = report::judge(&facts);
    if matches.get_flag("json") {
        print_json(&report::json(&verdicts, settings))?;
    } else {
        let document = report::text(&verdicts, settings, matches.get_flag("settings"));
        print(&document.text(Page::of_stdout().look));
    }
    Ok(if report::failed(&verdicts) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
