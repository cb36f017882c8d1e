//! `cache`: what servers that are running keep, or what they share.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use super::control;
use super::list::table;
use super::{DRAIN, eprintln_line, json as json_flag, pid, print, print_json, warm};
use crate::error::Error;
use crate::server::Server;

pub(super) fn command(name: &str) -> Command {
    let example = |text: &str| format!("Example:\n  {name} {text}");
    let component = |required| {
        Arg::new("component")
            .value_name("NAME")
            .required(required)
            .help("the tool, resource (by its URI) or prompt")
    };
    let arguments = || Arg::new("arguments").value_name("JSON").help("the arguments, a JSON object");
    Command::new("cache")
        .about("Looks into the cache of running servers of this name, or of what they share, and changes it")
        .subcommand_required(true)
        .subcommands([
            Command::new("stats")
                .about("Shows what the cache holds and did")
                .arg(json_flag("print them as JSON"))
                .arg(pid())
                .after_help(example("cache stats")),
            Command::new("get")
                .about("Shows whether the public or anonymous result of a call is kept, and for how long")
                .arg(component(true))
                .arg(arguments())
                .arg(json_flag("print it as JSON"))
                .arg(pid())
                .after_help(example("cache get search '{\"query\": \"nails\"}'")),
            Command::new("invalidate")
                .about("Makes results invalid: of a component, of one call of it, by tag or by URI")
                .arg(component(false).required_unless_present_any(["tag", "uri"]))
                .arg(arguments())
                .arg(Arg::new("tag").long("tag").value_name("TAG").help("results that carry this tag"))
                .arg(Arg::new("uri").long("uri").value_name("URI").help("what was read from this resource"))
                .arg(pid())
                .after_help(example("cache invalidate --tag products")),
            Command::new("clear")
                .about("Makes all results invalid")
                .arg(pid())
                .after_help(example("cache clear")),
            warm::command(example),
        ])
        .after_help(example("cache stats"))
}

pub(super) async fn run(server: &Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let (name, _) = server.server_name();
    let Some((command, matches)) = matches.subcommand() else { return Ok(ExitCode::FAILURE) };
    if command == "warm" {
        return warm::run(server, matches).await;
    }
    let text = |key: &str| matches.try_get_one::<String>(key).ok().flatten();
    let request = json!({
        "ask": format!("cache {command}"),
        "component": text("component"),
        "arguments": text("arguments"),
        "tag": text("tag"),
        "uri": text("uri"),
    });
    let running = control::running(name, matches.get_one::<u32>("pid").copied());
    let mut answers = Vec::new();
    for server in running {
        match server.ask(&request).await {
            Ok(answer) => answers.extend(answer.map(|answer| (server.pid, answer))),
            // The others are asked all the same.
            Err(error) => eprintln_line(&format!("warning: {error}")),
        }
    }
    if answers.is_empty() {
        let core = server.core()?;
        if !core.dispatch.cache.has_levels() {
            return Err(Error::start(format!(
                "no server named `{name}` runs, and the memory level lives in its process: start one with `serve`"
            )));
        }
        if let Some(pid) = matches.get_one::<u32>("pid") {
            return Err(Error::start(format!("no server named `{name}` runs as process {pid}")));
        }
        // What is below memory is reached from here as well.
        core.look_after();
        let answer = control::answered(core, &request).await;
        if !core.dispatch.cache.drain(DRAIN).await {
            return Err(Error::Transport(
                "a level could not be told, and still has what was to be made invalid: try again when it is up".to_owned(),
            ));
        }
        answers.push((std::process::id(), answer.unwrap_or_else(|error| json!({ "error": error }))));
    }
    if let Some((_, error)) = answers.iter().find(|(_, answer)| answer.get("error").is_some()) {
        return Err(Error::start(error["error"].as_str().unwrap_or_default().to_owned()));
    }
    if matches.try_get_one::<bool>("json").ok().flatten() == Some(&true) {
        let answers: Vec<_> =
            answers.into_iter().map(|(pid, answer)| json!({ "pid": pid, "answer": answer })).collect();
        print_json(&answers)?;
    } else {
        for (pid, answer) in answers {
            print(&format!("process {pid}"));
            let rows =
                answer.as_object().into_iter().flatten().map(|(key, value)| [key.clone(), plain(value)]);
            print(&table(["", ""], rows));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
