//! What is compared: the cases, and the run of those that were asked for.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::measure;
use crate::report::{self, Table};
use crate::request::{Ask, Era};
use crate::servers::{Server, raise_open_files, work};

const EVERYONE: &[Server] = &[Server::Ours, Server::Hyper, Server::Flymcprust, Server::Rmcp];
const FRAMEWORKS: &[Server] = &[Server::Ours, Server::Flymcprust, Server::Rmcp];

/// How many clients wait in `wait`.
const WAITING: usize = 1024;

/// How large the text of `http-echo` is.
const ECHO_BYTES: usize = 64 << 10;

/// A case of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// A call of a trivial tool over HTTP.
    HttpCall,
    /// The same with the profiler and without it.
    HttpProfiler,
    /// A call whose result of 2 KiB ours has in memory.
    HttpHit,
    /// The list of 200 tools.
    HttpList,
    /// A call with 64 KiB of text, which comes back.
    HttpEcho,
    /// Calls over stdio, 64 in flight, as of 2026-07-28.
    StdioCall,
    /// The same after a handshake of 2025-11-25.
    StdioLegacy,
    /// The memory of 4,096 connections that do nothing.
    Idle,
    /// A tool that waits 20 ms, called by 1,024 clients.
    Wait,
    /// From the start of the hello example to its first answer.
    Start,
    /// A fast tool beside 80 calls that take 30 s.
    Fair,
}

/// What `bench peers` is run with.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The cases; all of them where none is named.
    cases: Vec<Case>,
    /// How many seconds each server is measured in a round.
    #[arg(long, default_value_t = 4)]
    pub(crate) seconds: u64,
    /// How many rounds there are, of which the medians are shown.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// How many connections the HTTP cases have.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Writes all figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Prints the tables in Markdown.
    #[arg(long)]
    markdown: bool,
    /// The hello example, where it is built already.
    #[arg(long, value_name = "PATH")]
    pub(crate) hello: Option<PathBuf>,
}

impl Options {
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs(self.seconds.max(1))
    }

    /// Returns what the figures hang on.
    fn conditions(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        format!(
            "{} s for each server after 1 s of warm-up, median of {}, {} HTTP connections; client and server share {cores} cores",
            self.time().as_secs(),
            self.rounds,
            self.connections,
        )
    }
}

/// What a closed loop needs to know.
pub(crate) struct Loop {
    pub(crate) case: Case,
    pub(crate) servers: &'static [Server],
    pub(crate) ask: Ask,
    pub(crate) way: Way,
}

/// How the requests of a closed loop travel.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Http { connections: usize },
    Stdio { era: Era },
}

impl Case {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HttpCall => "http-call",
            Self::HttpProfiler => "http-profiler",
            Self::HttpHit => "http-hit",
            Self::HttpList => "http-list",
            Self::HttpEcho => "http-echo",
            Self::StdioCall => "stdio-call",
            Self::StdioLegacy => "stdio-legacy",
            Self::Idle => "idle",
            Self::Wait => "wait",
            Self::Start => "start",
            Self::Fair => "fair",
        }
    }

    /// Returns what is measured, in the words of the command's help.
    pub(crate) fn about(self) -> String {
        let value = self.to_possible_value();
        value.and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
    }

    fn measure(self, options: &Options) -> Result<Table> {
        let http = |servers, ask, connections| {
            measure::closed_loop(&Loop { case: self, servers, ask, way: Way::Http { connections } }, options)
        };
        let stdio = |era| {
            measure::closed_loop(
                &Loop { case: self, servers: FRAMEWORKS, ask: sum(), way: Way::Stdio { era } },
                options,
            )
        };
        match self {
            Self::HttpCall => http(EVERYONE, sum(), options.connections),
            Self::HttpProfiler => http(&[Server::Ours, Server::Unmeasured], sum(), options.connections),
            Self::HttpHit => {
                let ask = Ask::call("page", r#"{"key":"front"}"#, work::page("front"));
                http(EVERYONE, ask, options.connections)
            }
            Self::HttpList => http(EVERYONE, Ask::List { tools: work::MANY }, options.connections),
            Self::HttpEcho => {
                let text = "x".repeat(ECHO_BYTES);
                let ask = Ask::call("echo", format!(r#"{{"text":"{text}"}}"#), text);
                http(EVERYONE, ask, options.connections)
            }
            Self::StdioCall => stdio(Era::Modern),
            Self::StdioLegacy => stdio(Era::Legacy),
            Self::Wait => http(FRAMEWORKS, Ask::call("wait", "{}", "waited"), WAITING),
            Self::Idle => measure::idle(EVERYONE, options),
            Self::Start => measure::start(options),
            Self::Fair => measure::fair(options),
        }
    }
}

/// Returns the call of the trivial tool.
pub(crate) fn sum() -> Ask {
    Ask::call("add", r#"{"a":2,"b":3}"#, "5")
}

/// Measures the cases, and prints what came of it.
pub(crate) fn run(options: &Options) -> Result<()> {
    raise_open_files()?;
    let cases = if options.cases.is_empty() { Case::value_variants() } else { &options.cases };
    println!("{}\n", options.conditions());
    let mut tables = Vec::new();
    for case in cases {
        let table = case.measure(options).with_context(|| format!("`{}` failed", case.name()))?;
        println!("{}", table.text(options.markdown));
        tables.push(table);
    }
    println!("{}", report::summary(&tables).text(options.markdown));
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&report::json(&tables))?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
