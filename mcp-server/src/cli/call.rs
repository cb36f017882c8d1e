//! `call`, `read` and `prompt`: one component from the shell.

use std::process::ExitCode;
use std::time::Instant;

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use super::{eprintln_line, json as json_flag, print, print_json};
use crate::error::Error;
use crate::server::{Called, Server};
use crate::text_report;

pub(super) fn arguments(command: Command, target: &'static str, help: &'static str) -> Command {
    command
        .arg(Arg::new("target").value_name(target).required(true).help(help))
        .arg(json_flag("print the whole result as JSON"))
        .arg(
            Arg::new("times")
                .long("times")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .default_value("1")
                .help("repeat it, and show where each result came from and how long it took"),
        )
}

pub(super) async fn tool(server: &Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let name = target(matches);
    let arguments = object(matches)?;
    repeat(matches, async || server.call_tool(name, arguments.clone()).await).await
}

pub(super) async fn resource(server: &Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let uri = target(matches);
    repeat(matches, async || server.read_resource(uri).await).await
}

pub(super) async fn prompt(server: &Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let name = target(matches);
    let Value::Object(arguments) = object(matches)? else { return Ok(ExitCode::FAILURE) };
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let arguments: Vec<_> = arguments.into_iter().map(|(name, value)| (name, text(value))).collect();
    repeat(matches, async || server.get_prompt(name, arguments.clone()).await).await
}

fn target(matches: &ArgMatches) -> &str {
    matches.get_one::<String>("target").map_or("", String::as_str)
}

fn object(matches: &ArgMatches) -> Result<Value, Error> {
    let text = matches.get_one::<String>("arguments").map_or("{}", String::as_str);
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Error::start(format!(
            "the arguments are `{text}`: write a JSON object such as `{{\"a\": 1}}`"
        ))),
        Err(error) => Err(Error::start(format!(
            "the arguments are no JSON ({error}): write an object such as `{{\"a\": 1}}`"
        ))),
    }
}

async fn repeat(
    matches: &ArgMatches,
    run: impl AsyncFn() -> Result<Called, Error>,
) -> Result<ExitCode, Error> {
    let times = matches.get_one::<u32>("times").copied().unwrap_or(1);
    let json = matches.get_flag("json");
    let mut failed = false;
    for round in 1..=times {
        let start = Instant::now();
        let called = run().await?;
        let took = start.elapsed();
        failed |= called.is_error();
        if json && times > 1 {
            let micros = took.as_secs_f64() * 1e6;
            print(
                &json!({ "cache": called.cache.word(), "micros": micros, "result": called.result })
                    .to_string(),
            );
            continue;
        }
        if json {
            print_json(&called.result)?;
        } else if round == 1 {
            show(&called)?;
        }
        if times > 1 {
            let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            print(&format!("{round}: {}, {}", called.cache.word(), text_report::time(nanos)));
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Prints the text of a result, or all of it where it is more than text.
fn show(called: &Called) -> Result<(), Error> {
    let text = called.text();
    if called.is_error() {
        eprintln_line(&format!("error: {text}"));
        Ok(())
    } else if !called.is_text() {
        print_json(&called.result)
    } else {
        print(&text);
        Ok(())
    }
}
