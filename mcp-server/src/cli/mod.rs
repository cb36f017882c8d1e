//! The command line of every server.

mod bench;
mod cache;
mod call;
mod check;
mod control;
mod find;
mod list;
mod optimize;
mod serve;
mod stats;
mod warm;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::error::Error;
use crate::server::Server;
use crate::settings::{SETTINGS, Settings, environment};

/// How long runs that nobody waits for may take to be kept when the process ends.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs the command line of a server in a runtime of its own; [`main!`](crate::main) calls it.
pub fn main(server: Server) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("no runtime: {error}")),
    };
    let code = runtime.block_on(server.cli());
    // A read of stdin that is under way cannot be called back, and would be waited for.
    runtime.shutdown_background();
    code
}

impl Server {
    /// Runs the command that the process was started with: `serve`, `list`, `call` and so on.
    ///
    /// Must be called within a tokio runtime. Errors are written to stderr; the exit code is 2 for a
    /// command line that is none, 1 for other failures.
    pub async fn cli(self) -> ExitCode {
        self.cli_from(std::env::args_os()).await
    }

    /// Runs the command of the given arguments, the first of which is the program's name.
    pub async fn cli_from(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        let (name, version) = self.server_name();
        let matches = match command(name, version).try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(error) => {
                let _ = error.print();
                return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
            }
        };
        match run(self, &matches).await {
            Ok(code) => code,
            Err(error) => {
                let code = failed(&error.to_string());
                // Its 1 means that something became worse, which a mistake is not.
                if matches.subcommand_name() == Some("bench") { ExitCode::from(2) } else { code }
            }
        }
    }
}

async fn run(server: Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let (name, arguments) = matches.subcommand().unwrap_or(("serve", matches));
    let level = match name {
        "serve" => Level::INFO,
        // It says itself what others warn of.
        "check" => Level::ERROR,
        _ => Level::WARN,
    };
    let logs = log_to_stderr(matches, level);

    let mut settings = match server.explicit_config() {
        Some(config) => Settings::of(config),
        None => Settings::new(),
    };
    let flags = SETTINGS.iter().filter_map(|setting| {
        let value = arguments.get_one::<String>(setting.key)?;
        Some((setting.key.to_owned(), value.clone()))
    });
    let read = if server.explicit_config().is_some() {
        settings.read_flags(flags)
    } else {
        settings.read_all(environment(), flags)
    };
    let mut mistakes = Vec::new();
    for done in [logs, read] {
        match done {
            // They are among what it looks for.
            Err(Error::Start(found)) if name == "check" => mistakes.extend(found.iter().cloned()),
            done => done?,
        }
    }
    let server = server.config(settings.config.clone());
    // Before the start, which looks for what it begins; after all else is done it sends the last.
    #[cfg(feature = "otlp")]
    let _pipeline = if name == "serve" { crate::otlp::init_from_env(server.server_name().0)? } else { None };

    let done = match (name, arguments) {
        ("list", arguments) => list::run(&server, arguments),
        ("call", arguments) => call::tool(&server, arguments).await,
        ("read", arguments) => call::resource(&server, arguments).await,
        ("prompt", arguments) => call::prompt(&server, arguments).await,
        ("bench", arguments) => bench::run(&server, arguments).await,
        ("stats", arguments) => stats::run(&server, arguments).await,
        ("top", arguments) => stats::top(&server, arguments).await,
        ("cache", arguments) => cache::run(&server, arguments).await,
        ("check", arguments) => check::run(&server, &settings, mistakes, arguments).await,
        ("optimize", arguments) => optimize::run(&server, arguments).await,
        ("config", arguments) => list::settings(&settings, arguments),
        (_, arguments) => serve::run(&server, arguments).await,
    };
    // What was computed is kept behind the answer, and what was invalidated told.
    if let Some(core) = server.started()
        && !core.dispatch.cache.drain(DRAIN).await
    {
        tracing::warn!("runs were still under way after {DRAIN:?}");
    }
    done
}

fn command(name: &str, version: &str) -> Command {
    let settings = SETTINGS.iter().map(|setting| {
        Arg::new(setting.key)
            .long(setting.key.replace('_', "-"))
            .value_name("VALUE")
            .help(setting.help)
            .help_heading("Settings (also in mcp.toml, and as MCP_* variables)")
            .global(true)
            .hide_short_help(true)
    });
    let log = Arg::new("log")
        .long("log")
        .value_name("LEVEL")
        .value_parser(["off", "error", "warn", "info", "debug", "trace"])
        .help("what is logged to stderr")
        .global(true);
    let command = serve::arguments(Command::new(name.to_owned()))
        .version(version.to_owned())
        .about("An MCP server. Without a command it serves stdio.")
        .arg(log)
        .args(settings)
        .subcommand_negates_reqs(true);
    let example = |text: &str| format!("Example:\n  {name} {text}");
    command.subcommands([
        serve::arguments(Command::new("serve"))
            .about("Serves stdio, or HTTP")
            .after_help(example("serve --http 127.0.0.1:8080")),
        Command::new("list")
            .about("Shows the tools, resources and prompts, with their cache policies and where they are declared")
            .arg(json("print the definitions as JSON"))
            .after_help(example("list --json")),
        call::arguments(Command::new("call").about("Calls a tool"), "NAME", "the tool's name")
            .arg(Arg::new("arguments").value_name("JSON").default_value("{}").help("the arguments, a JSON object"))
            .after_help(example("call add '{\"a\": 2, \"b\": 3}' --times 2")),
        call::arguments(Command::new("read").about("Reads a resource"), "URI", "the resource's URI")
            .after_help(example("read product://7")),
        call::arguments(Command::new("prompt").about("Gets a prompt"), "NAME", "the prompt's name")
            .arg(Arg::new("arguments").value_name("JSON").default_value("{}").help("the arguments, a JSON object of text"))
            .after_help(example("prompt review '{\"code\": \"fn main() {}\"}'")),
        bench::command(example),
        stats::command(example),
        stats::top_command(example),
        cache::command(name),
        check::command(example),
        Command::new("optimize")
            .about("Looks after the database level: statistics, indexes, expired rows")
            .arg(json("print what was done as JSON"))
            .after_help(example("optimize")),
        Command::new("config")
            .about("Shows the effective settings and where each came from")
            .arg(json("print the settings as JSON"))
            .after_help(example("config --cache-duration 60s")),
    ])
}

fn json(help: &'static str) -> Arg {
    Arg::new("json").long("json").action(ArgAction::SetTrue).help(help)
}

fn pid() -> Arg {
    Arg::new("pid")
        .long("pid")
        .value_name("PID")
        .value_parser(clap::value_parser!(u32))
        .help("only the server with this process id")
}

fn log_to_stderr(matches: &ArgMatches, default: Level) -> Result<(), Error> {
    // rmcp's warnings hold the text of answers, and so of arguments: only who names it gets more than its errors.
    let of_level = |level: LevelFilter| {
        Targets::new().with_default(level).with_target("rmcp", level.min(LevelFilter::ERROR))
    };
    let targets = match (matches.get_one::<String>("log"), std::env::var("RUST_LOG")) {
        (Some(level), _) => of_level(level.parse().unwrap_or(LevelFilter::INFO)),
        (None, Ok(text)) if !text.is_empty() => text.parse().map_err(|_| {
            Error::start(format!("RUST_LOG is `{text}`: write `info`, or `warn,my_crate=debug`"))
        })?,
        _ => of_level(default.into()),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // A program that embeds the server may have a subscriber of its own, which stays.
    let _ = tracing::subscriber::set_global_default(
        tracing_subscriber::registry().with(lines.with_filter(targets)).with(mcp_core::profile::sql::layer()),
    );
    Ok(())
}

/// Writes a result to stdout; a reader that has gone away is no failure.
fn print(text: &str) {
    use std::io::Write as _;

    let mut out = std::io::stdout().lock();
    let _ = out
        .write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    let _ = out.flush();
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Transport(error.to_string()))?;
    print(&text);
    Ok(())
}

fn failed(message: &str) -> ExitCode {
    for line in message.lines() {
        eprintln_line(&format!("error: {line}"));
    }
    ExitCode::FAILURE
}

fn eprintln_line(line: &str) {
    use std::io::Write as _;

    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
