//! What `bench` does, in order, and how it ends.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::ArgMatches;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::client::{Remote, end_all};
use super::compare::Comparison;
use super::figures::Figures;
use super::file::{Behind, Component, How, Pass, Run, VERSION, may_be_written};
use super::in_process::Process;
use super::load::Measured;
use super::machine::Machine;
use super::options::Options;
use super::shown;
use super::target::{Skipped, Target, chosen, is_of_all};
use crate::cli::stats::Page;
use crate::cli::{eprintln_line, print, print_json, serve};
use crate::error::Error;
use crate::server::Server;
use crate::text_report::{clean, cut};

/// Something became worse.
const WORSE: u8 = 1;
/// A mistake on the command line, or runs that cannot be compared.
const REFUSED: u8 = 2;
/// Calls failed, or there was no end.
const FAILED: u8 = 3;

/// How much of what a failed call says is shown, in columns.
const MOST_SAID: usize = 200;

/// What is printed as JSON: what a file has, and more.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    run: &'a Run,
    skipped: &'a [Skipped],
    comparison: Option<&'a Comparison>,
    interrupted: bool,
}

/// Why nothing was measured, and the exit status of that.
struct Stopped(u8, String);

impl From<String> for Stopped {
    fn from(mistake: String) -> Self {
        Self(REFUSED, mistake)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self(REFUSED, error.to_string())
    }
}

pub(crate) async fn run(server: &Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let stop = CancellationToken::new();
    let hears = tokio::spawn({
        let stop = stop.clone();
        async move {
            serve::signalled().await;
            stop.cancel();
            // A function that never lets its thread go cannot be stopped in any other way.
            serve::signalled().await;
            end_all();
            std::process::exit(FAILED.into());
        }
    });
    let done = measure(server, matches, &stop).await;
    hears.abort();
    Ok(ExitCode::from(done.unwrap_or_else(|Stopped(code, why)| {
        why.lines().for_each(|line| eprintln_line(&format!("error: {line}")));
        code
    })))
}

async fn measure(server: &Server, matches: &ArgMatches, stop: &CancellationToken) -> Result<u8, Stopped> {
    let options = Options::of(matches)?;
    // Before minutes are spent for what cannot be compared or kept.
    let baseline = options.baseline.as_deref().map(Run::read).transpose()?;
    if let Some(path) = &options.save {
        may_be_written(path)?;
    }
    let interrupted = || Stopped(FAILED, "interrupted before anything was measured".to_owned());
    let connected = stop.run_until_cancelled(Remote::connect(&options.over)).await.ok_or_else(interrupted)?;
    let mut remote = connected.map_err(|why| Stopped(FAILED, why))?;
    let measured = components(server, &options, remote.as_mut(), stop).await;
    if let Some(remote) = &remote {
        remote.end().await;
    }
    let (components, skipped) = measured?;
    if components.is_empty() {
        return Err(interrupted());
    }
    let how =
        How { over: options.over.word().to_owned(), connections: options.connections, rate: options.rate };
    let run = Run { version: VERSION, machine: Machine::this(), how, components };
    let compared = baseline.filter(|_| !stop.is_cancelled());
    // One that was named is there, or there had been an error.
    let is_asked = |earlier: &Component| {
        let is_there = |now: &Component| (&now.kind, &now.name) == (&earlier.kind, &earlier.name);
        let is_all = options.components.is_empty();
        run.components.iter().any(is_there)
            || (is_all && is_of_all(&earlier.title(), &earlier.arguments, &skipped))
    };
    let compared =
        compared.map(|before| Comparison::new(&run, &before, options.fail_over, options.force, is_asked));
    if options.format == "json" {
        let interrupted = stop.is_cancelled();
        print_json(&Printed { run: &run, skipped: &skipped, comparison: compared.as_ref(), interrupted })?;
    } else {
        let document = shown::document(&run, &skipped, compared.as_ref());
        let is_markdown = options.format == "markdown";
        print(&if is_markdown { document.markdown() } else { document.text(Page::of_stdout().look) });
    }
    ended(&run, compared.as_ref(), &options, stop)
}

/// Saves what was measured, and decides how the program ends.
fn ended(
    run: &Run,
    compared: Option<&Comparison>,
    options: &Options,
    stop: &CancellationToken,
) -> Result<u8, Stopped> {
    if stop.is_cancelled() {
        eprintln_line("warning: interrupted: what was measured so far is neither saved nor compared");
        return Ok(FAILED);
    }
    let failed = run.failed();
    if failed > 0 {
        let saved = if options.save.is_some() { ", and nothing is saved" } else { "" };
        eprintln_line(&format!("error: {failed} calls failed{saved}"));
        return Ok(FAILED);
    }
    let code = compared.map_or(0, |compared| verdict(compared, options.force));
    match &options.save {
        // The next run would be held against what this one failed by.
        Some(path) if code != 0 && is_baseline(path, options) => {
            eprintln_line(&format!("warning: `{}` stays as it was: it is the baseline", path.display()));
        }
        Some(path) => run.save(path)?,
        None => {}
    }
    Ok(code)
}

/// Returns the exit status of a comparison, and says why where it says nothing.
fn verdict(compared: &Comparison, force: bool) -> u8 {
    if !force && !compared.refused.is_empty() {
        let refused = compared.refused.join("; ");
        eprintln_line(&format!(
            "warning: times are not compared: {refused}: write `--force`, or measure a new baseline"
        ));
        return REFUSED;
    }
    let unclear = compared.unclear();
    if let Some(why) = &unclear {
        eprintln_line(&format!("warning: not all is compared: {why}"));
    }
    match unclear {
        _ if compared.is_regression() => WORSE,
        Some(_) => REFUSED,
        None => 0,
    }
}

fn is_baseline(path: &Path, options: &Options) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    let baseline = options.baseline.as_deref();
    baseline.is_some_and(|baseline| {
        baseline == path || real(path).is_some_and(|path| Some(path) == real(baseline))
    })
}

/// Measures one component after the other.
async fn components(
    server: &Server,
    options: &Options,
    mut remote: Option<&mut Remote>,
    stop: &CancellationToken,
) -> Result<(Vec<Component>, Vec<Skipped>), Stopped> {
    let process = if remote.is_none() { Some(Process::new(server)?) } else { None };
    let known = match (&process, &mut remote) {
        (Some(process), _) => process.known()?,
        (None, None) => Vec::new(),
        (None, Some(remote)) => {
            let known = stop.run_until_cancelled(remote.known()).await;
            known.unwrap_or_else(|| Ok(Vec::new())).map_err(|why| Stopped(FAILED, why))?
        }
    };
    if stop.is_cancelled() {
        return Ok((Vec::new(), Vec::new()));
    }
    // A server elsewhere may have templates, and says itself which URIs are none.
    let has_uri =
        |uri: &str| process.as_ref().map_or_else(|| uri.contains(':'), |process| process.has_uri(uri));
    let (targets, skipped) = chosen(&known, &options.components, options.arguments.as_deref(), has_uri)?;
    for target in targets.iter().filter(|target| !target.read_only) {
        eprintln_line(&format!("warning: {target} is not `read_only`: it really runs, again and again"));
    }
    let mut components = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        if stop.is_cancelled() {
            break;
        }
        let tell = |pass: &str| progress(&format!("{target}, {pass} ({} of {})", index + 1, targets.len()));
        let passes = match (&process, &remote) {
            (Some(process), _) => process.measure(target, options, stop, tell).await?,
            (None, Some(remote)) => {
                tell("calls");
                vec![("calls", remote.measure(target, options, stop).await, None)]
            }
            (None, None) => Vec::new(),
        };
        let gone = passes.iter().any(|(_, measured, _)| measured.gone.is_some());
        let passes: Vec<_> =
            passes.into_iter().map(|(name, measured, figures)| pass(name, measured, figures)).collect();
        if !passes.is_empty() {
            components.push(component(target, passes));
        }
        if gone {
            break;
        }
    }
    progress("");
    Ok((components, skipped))
}

fn component(target: &Target, passes: Vec<Pass>) -> Component {
    Component {
        kind: target.kind.word().to_owned(),
        name: target.name.clone(),
        arguments: target.arguments_id(),
        passes,
    }
}

fn pass(name: &str, measured: Measured, figures: Option<Figures>) -> Pass {
    let calls = measured.samples.seen();
    let seconds = measured.took.as_secs_f64();
    let behind = measured.behind.map(|behind| Behind {
        late_ns: u64::try_from(behind.late.as_nanos()).unwrap_or(u64::MAX),
        not_begun: behind.not_begun,
    });
    Pass {
        pass: name.to_owned(),
        calls,
        seconds,
        calls_per_second: if seconds > 0.0 { calls as f64 / seconds } else { 0.0 },
        others: measured.others,
        failed: measured.failed,
        first_failure: measured.gone.or(measured.first_failure).map(|why| cut(&clean(&why), MOST_SAID)),
        behind,
        times: measured.samples.percentiles(),
        slices_ns: measured.samples.slices(),
        // What failed runs use is not what one wants to know.
        figures: figures.filter(|_| calls > 0),
    }
}

/// Says what is done, where somebody looks on.
fn progress(text: &str) {
    let mut err = std::io::stderr().lock();
    if err.is_terminal() {
        let _ = write!(err, "\r{}\x1b[K", clean(text)).and_then(|()| err.flush());
    }
}
