//! How the cases are measured.

use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::cases::{Case, Loop, Options, Way, sum};
use crate::load::http::Clients;
use crate::load::{Times, stdio};
use crate::process::Process;
use crate::report::{Row, Table};
use crate::request::{Ask, Era};
use crate::servers::Server;

const WARM_UP: Duration = Duration::from_secs(1);

/// How many connections do nothing in `idle`; flymcprust takes no more.
const IDLE: usize = 4096;

/// How often the hello example is started.
const STARTS: usize = 20;

/// How many clients are fast and slow in `fair`, and for how long.
const FAST: usize = 8;
const SLOW: usize = 80;
const FAIR: Duration = Duration::from_secs(5);

/// How long it takes at most until a process has come to rest.
const SETTLED: Duration = Duration::from_millis(200);

/// Measures a closed loop on several servers.
pub(crate) fn closed_loop(what: &Loop, options: &Options) -> Result<Table> {
    let fixed = if what.servers.contains(&Server::Hyper) { answer_of_ours(&what.ask)? } else { Vec::new() };
    let rows = rounds(what.case, what.servers, options, |server| match what.way {
        Way::Http { connections } => http(server, &what.ask, connections, &fixed, options.time()),
        Way::Stdio { era } => stdio(server, &what.ask, era, options.time()),
    })?;
    let columns = &["CPU µs/request", "requests/s", "p50 µs", "p99 µs", "peak MiB", "answer bytes"];
    Ok(Table { case: what.case, columns, rows })
}

/// Measures the memory of connections that have made one call each.
pub(crate) fn idle(servers: &[Server], options: &Options) -> Result<Table> {
    let fixed = answer_of_ours(&sum())?;
    let rows = rounds(Case::Idle, servers, options, |server| {
        let (process, address) = Process::http(server, false, &fixed)?;
        sleep(SETTLED);
        let before = process.resident_mib()?;
        let (mut clients, _) = Clients::connect(address, &sum(), IDLE)?;
        clients.ask_one_by_one(IDLE)?;
        sleep(SETTLED);
        let after = process.resident_mib()?;
        Ok(vec![before, after, (after - before) * 1024.0 / IDLE as f64])
    })?;
    Ok(Table { case: Case::Idle, columns: &["before MiB", "after MiB", "KiB/connection"], rows })
}

/// Measures how soon the hello example answers, and its memory then.
pub(crate) fn start(options: &Options) -> Result<Table> {
    let hello = match &options.hello {
        Some(path) => path.clone(),
        None => build_hello()?,
    };
    let mut runs = Vec::new();
    // The first start reads the program from the disk.
    for run in 0..=STARTS {
        let began = Instant::now();
        let (process, stdin, stdout) = Process::program(&hello)?;
        let _client = stdio::Client::connect(stdin, stdout, &Ask::List { tools: 1 }, Era::Modern)?;
        let took = began.elapsed();
        sleep(SETTLED);
        if run > 0 {
            runs.push(vec![took.as_secs_f64() * 1e3, process.resident_mib()?]);
        }
    }
    let rows = vec![Row { server: Server::Ours, rounds: runs }];
    Ok(Table { case: Case::Start, columns: &["first answer ms", "idle MiB"], rows })
}

/// Measures a fast tool alone, and beside calls that take long.
pub(crate) fn fair(options: &Options) -> Result<Table> {
    let rows = rounds(Case::Fair, &[Server::Ours], options, |server| {
        let (_process, address) = Process::http(server, false, &[])?;
        let (mut fast, _) = Clients::connect(address, &sum(), FAST)?;
        let mut times = Times::for_a_run_of(FAIR);
        fast.send_all()?;
        fast.drive(WARM_UP, &mut times)?;
        times.clear();
        fast.drive(FAIR, &mut times)?;
        let alone = times.percentile(0.5);

        let mut slow = Clients::unchecked(address, &Ask::call("hold", "{}", ""), SLOW)?;
        slow.send_all()?;
        sleep(SETTLED);
        times.clear();
        fast.drive(FAIR, &mut times)?;
        let beside = times.percentile(0.5);
        Ok(vec![alone, beside, beside / alone])
    })?;
    Ok(Table { case: Case::Fair, columns: &["alone p50 µs", "beside p50 µs", "beside/alone"], rows })
}

/// Measures one server in one round over HTTP.
fn http(server: Server, ask: &Ask, connections: usize, fixed: &[u8], time: Duration) -> Result<Vec<f64>> {
    let (process, address) = Process::http(server, is_list(ask), fixed)?;
    let (mut clients, message) = Clients::connect(address, ask, connections)?;
    clients.send_all()?;
    figures(&process, message.len(), time, |time, times| clients.drive(time, times))
}

/// Measures one server in one round over stdio.
fn stdio(server: Server, ask: &Ask, era: Era, time: Duration) -> Result<Vec<f64>> {
    let (process, stdin, stdout) = Process::stdio(server)?;
    let mut client = stdio::Client::connect(stdin, stdout, ask, era)?;
    client.send_all()?;
    figures(&process, client.answer_bytes(), time, |time, times| client.drive(time, times))
}

fn figures(
    process: &Process,
    answer_bytes: usize,
    time: Duration,
    mut drive: impl FnMut(Duration, &mut Times) -> Result<Duration>,
) -> Result<Vec<f64>> {
    let mut times = Times::for_a_run_of(time);
    drive(WARM_UP, &mut times)?;
    times.clear();
    let before = process.cpu()?;
    let took = drive(time, &mut times)?;
    let cpu = process.cpu()? - before;
    let count = times.count() as f64;
    ensure!(count > 0.0, "no request was answered in {took:?}");
    Ok(vec![
        cpu.as_secs_f64() * 1e6 / count,
        count / took.as_secs_f64(),
        times.percentile(0.5),
        times.percentile(0.99),
        process.peak_mib()?,
        answer_bytes as f64,
    ])
}

/// Measures the servers in turn, again and again.
///
/// A slow while of the machine then meets all of them.
fn rounds(
    case: Case,
    servers: &[Server],
    options: &Options,
    mut one: impl FnMut(Server) -> Result<Vec<f64>>,
) -> Result<Vec<Row>> {
    let mut figures = vec![Vec::new(); servers.len()];
    for round in 1..=options.rounds {
        for (server, figures) in servers.iter().zip(&mut figures) {
            eprintln!("{}: {server}, round {round} of {}", case.name(), options.rounds);
            figures.push(one(*server).with_context(|| format!("{server}"))?);
        }
    }
    let rows = servers.iter().zip(figures);
    Ok(rows.map(|(&server, rounds)| Row { server, rounds }).collect())
}

fn is_list(ask: &Ask) -> bool {
    matches!(ask, Ask::List { .. })
}

/// Returns our server's answer, for hyper to send the same.
fn answer_of_ours(ask: &Ask) -> Result<Vec<u8>> {
    let (_process, address) = Process::http(Server::Ours, is_list(ask), &[])?;
    Ok(Clients::connect(address, ask, 1)?.1)
}

/// Builds the hello example for production, and returns where it is.
fn build_hello() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--package", "examples", "--example", "hello"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cargo cannot be started")?;
    ensure!(output.status.success(), "the hello example does not build; `--hello PATH` takes one that does");
    let mut executables = output.stdout.split(|&byte| byte == b'\n').filter_map(|line| {
        let message: Value = serde_json::from_slice(line).ok()?;
        (message.pointer("/target/name")? == "hello")
            .then(|| message.get("executable")?.as_str().map(PathBuf::from))?
    });
    executables.next_back().context("cargo did not say where the hello example is")
}
