//! `stats`: a report of what was measured.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};
use mcp_core::profile::{Report, Span};

use super::page::Page;
use super::servers;
use crate::cli::control::{self, Seen};
use crate::cli::{eprintln_line, json, pid, print, print_json};
use crate::error::Error;
use crate::server::Server;
use crate::text_report::{self, Document, is_named};

pub(crate) fn command(example: impl Fn(&str) -> String) -> Command {
    Command::new("stats")
        .about("Shows what running servers of this name measured, or the last one that ended")
        .arg(Arg::new("component").value_name("NAME").help("one tool, resource or prompt in detail"))
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["table", "json", "markdown"])
                .default_value("table")
                .help("how it is written; JSON has every window"),
        )
        .arg(json("the same as `--format json`").overrides_with("format"))
        .arg(pid())
        .arg(
            Arg::new("hours")
                .long("hours")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..=192))
                .help("the last hours of all processes that keep a history in Redis, in place of those that run"),
        )
        .arg(servers::window(Span::Start))
        .after_help(example("stats --window 5m"))
}

pub(crate) async fn run(server: &Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let (name, _) = server.server_name();
    let pid = matches.get_one::<u32>("pid").copied();
    if let Some(hours) = matches.get_one::<u32>("hours") {
        return past(server, *hours, matches).await;
    }
    let mut all = Vec::new();
    for seen in servers::running(name, matches).await {
        match seen {
            Ok(seen) => all.push(seen),
            // The others are shown all the same.
            Err(error) => eprintln_line(&format!("warning: {error}")),
        }
    }
    if all.is_empty() {
        all.extend(control::last(name).filter(|last| pid.is_none_or(|pid| pid == last.report.pid)));
    }
    if all.is_empty() {
        return Err(Error::start(match pid {
            Some(pid) => {
                format!("no server named `{name}` runs as process {pid}, nor was it the last that ended")
            }
            None => format!("no server named `{name}` runs or has run: start one with `serve`"),
        }));
    }
    let component = matches.get_one::<String>("component").map(String::as_str);
    if let Some(component) = component {
        all = of_component(all, component)?;
    }
    let format = matches.get_one::<String>("format").map_or("table", String::as_str);
    if matches.get_flag("json") || format == "json" {
        print_json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let span = servers::span(matches);
    let texts = all.iter().filter_map(|seen| {
        let document = shown(seen, component, span)?;
        Some(if format == "markdown" { document.markdown() } else { document.text(Page::of_stdout().look) })
    });
    print(&texts.collect::<Vec<_>>().join("\n"));
    Ok(ExitCode::SUCCESS)
}

#[cfg(feature = "redis")]
async fn past(server: &Server, hours: u32, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let component = matches.get_one::<String>("component").map(String::as_str);
    let format = matches.get_one::<String>("format").map_or("table", String::as_str);
    let form = if matches.get_flag("json") { "json" } else { format };
    super::hours::run(server, hours, component, form).await.map(|()| ExitCode::SUCCESS)
}

#[cfg(not(feature = "redis"))]
#[expect(clippy::unused_async, reason = "has the form of the version with a history")]
async fn past(_server: &Server, _hours: u32, _matches: &ArgMatches) -> Result<ExitCode, Error> {
    Err(Error::start("a history needs the feature `redis` of `mcp-server`: add it in Cargo.toml"))
}

fn shown(seen: &Seen, component: Option<&str>, span: Span) -> Option<Document> {
    match component {
        Some(name) => text_report::component(&seen.report, name, span),
        None => Some(text_report::summary(&seen.report, seen.running, span)),
    }
}

/// Leaves one component in each report, and the servers that called it.
fn of_component(all: Vec<Seen>, meant: &str) -> Result<Vec<Seen>, Error> {
    let mut called: Vec<_> = all.iter().flat_map(|seen| names(&seen.report)).collect();
    called.sort();
    called.dedup();
    let mut some = all;
    some.iter_mut().for_each(|seen| {
        let report = &mut seen.report;
        report.components.retain(|component| is_named(&component.kind, &component.name, meant));
        report.slow.retain(|call| is_named(&call.kind, &call.name, meant));
        let named = |component: &str| {
            component.split_once(' ').is_some_and(|(kind, name)| is_named(kind, name, meant))
        };
        report.findings.retain(|finding| named(&finding.component));
        report.statements.retain(|statement| statement.components.iter().any(|component| named(component)));
    });
    some.retain(|seen| !seen.report.components.is_empty());
    if some.is_empty() {
        let called = if called.is_empty() {
            "nothing was".to_owned()
        } else {
            format!("called were {}", called.join(", "))
        };
        return Err(Error::start(format!("no component named `{meant}` was called: {called}")));
    }
    Ok(some)
}

fn names(report: &Report) -> impl Iterator<Item = String> {
    report.components.iter().map(|component| format!("`{}`", component.name))
}
