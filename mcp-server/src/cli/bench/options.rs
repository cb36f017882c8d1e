//! The command line of `bench`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use mcp_core::units;
use serde_json::{Map, Value};

#[cfg(feature = "http")]
use super::client::Site;
use super::client::words;
use crate::cli::json;

/// How large a file of arguments may be, in bytes.
const MOST_ARGUMENTS: u64 = 16 << 20;

/// What is to be measured, and how.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) components: Vec<String>,
    /// Objects that are used in turn.
    pub(super) arguments: Option<Vec<Map<String, Value>>>,
    pub(super) connections: usize,
    pub(super) rate: Option<f64>,
    pub(super) warmup: Duration,
    pub(super) duration: Duration,
    pub(super) over: Over,
    pub(super) save: Option<PathBuf>,
    pub(super) baseline: Option<PathBuf>,
    /// The share by which something may become slower.
    pub(super) fail_over: f64,
    pub(super) force: bool,
    pub(super) format: String,
}

/// What is called.
#[derive(Clone, Debug)]
pub(super) enum Over {
    Process,
    #[cfg(feature = "http")]
    Http(Box<Site>),
    Stdio(Vec<String>),
}

impl Over {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Process => "process",
            #[cfg(feature = "http")]
            Self::Http(_) => "http",
            Self::Stdio(_) => "stdio",
        }
    }
}

pub(crate) fn command(example: impl Fn(&str) -> String) -> Command {
    let valued = |id: &'static str, value: &'static str, help: &'static str| {
        Arg::new(id).long(id).value_name(value).help(help)
    };
    let command = Command::new("bench")
        .about("Measures how long components take: within this process, or in a server that runs")
        .arg(
            Arg::new("component")
                .value_name("COMPONENT")
                .num_args(0..)
                .help("tools, prompts or the URIs of resources; none: all that take no arguments and change nothing"),
        )
        .arg(valued("arguments", "JSON", "its arguments, an object; of an array of objects each in turn"))
        .arg(
            valued("arguments-file", "FILE", "the same from a file")
                .value_parser(value_parser!(PathBuf))
                .conflicts_with("arguments"),
        )
        .arg(
            valued("connections", "C", "how many calls are under way at once")
                .value_parser(value_parser!(u16).range(1..=1024))
                .default_value("1"),
        )
        .arg(
            valued("rate", "R", "calls a second over all connections, timed from when each was to begin; without it each waits for its answer")
                .value_parser(rate),
        )
        .arg(valued("warmup", "TIME", "how long is called before").value_parser(time(0)).default_value("1s"))
        .arg(valued("duration", "TIME", "how long each pass takes").value_parser(time(10)).default_value("5s"))
        .arg(
            valued("stdio", "CMD", "measure the server that this command starts: words, with quotes as in a shell")
                .value_parser(words),
        )
        .arg(valued("save", "FILE", "write what was measured").value_parser(value_parser!(PathBuf)))
        .arg(
            valued("baseline", "FILE", "compare with what was saved; exit status 1 where something became worse")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            valued("fail-over", "PERCENT", "how much slower is worse").value_parser(share).default_value("10%"),
        )
        .arg(
            Arg::new("force")
                .long("force")
                .action(ArgAction::SetTrue)
                .help("compare times of another machine or build too"),
        )
        .arg(
            valued("format", "FORMAT", "how it is written")
                .value_parser(["table", "json", "markdown"])
                .default_value("table"),
        )
        .arg(json("the same as `--format json`").overrides_with("format"));
    #[cfg(feature = "http")]
    let command = command
        .arg(valued("http", "URL", "measure the server at http://HOST:PORT/mcp").conflicts_with("stdio"))
        .arg(valued("token", "TOKEN", "what the server is shown as a bearer token").requires("http"));
    command.after_help(format!(
        "Exit status: 0 well, 1 worse than the baseline, 2 a mistake or not comparable, 3 calls failed or it was interrupted.\n\n{}",
        example("bench search --arguments '{\"query\": \"nails\"}' --baseline base.json")
    ))
}

impl Options {
    pub(super) fn of(matches: &ArgMatches) -> Result<Self, String> {
        let path = |id: &str| matches.get_one::<PathBuf>(id).cloned();
        let duration = |id: &str| matches.get_one::<Duration>(id).copied().unwrap_or_default();
        let arguments = match (matches.get_one::<String>("arguments"), path("arguments-file")) {
            (Some(text), _) => Some(arguments(text)?),
            (None, Some(file)) => Some(read(&file)?),
            (None, None) => None,
        };
        let format = matches.get_one::<String>("format").map_or("table", String::as_str);
        Ok(Self {
            components: matches.get_many::<String>("component").into_iter().flatten().cloned().collect(),
            arguments,
            connections: matches.get_one::<u16>("connections").map_or(1, |connections| (*connections).into()),
            rate: matches.get_one::<f64>("rate").copied(),
            warmup: duration("warmup"),
            duration: duration("duration"),
            over: over(matches)?,
            save: path("save"),
            baseline: path("baseline"),
            fail_over: matches.get_one::<f64>("fail-over").copied().unwrap_or(0.1),
            force: matches.get_flag("force"),
            format: if matches.get_flag("json") { "json" } else { format }.to_owned(),
        })
    }
}

fn over(matches: &ArgMatches) -> Result<Over, String> {
    #[cfg(feature = "http")]
    if let Some(url) = matches.get_one::<String>("http") {
        let token = matches.get_one::<String>("token").map(String::as_str);
        return Ok(Over::Http(Box::new(Site::new(url, token)?)));
    }
    Ok(matches.get_one::<Vec<String>>("stdio").map_or(Over::Process, |words| Over::Stdio(words.clone())))
}

/// Reads one object, or an array of them.
fn arguments(text: &str) -> Result<Vec<Map<String, Value>>, String> {
    let what = "write an object such as `{\"a\": 1}`, or an array of objects";
    let read: Value =
        serde_json::from_str(text).map_err(|error| format!("the arguments are no JSON ({error}): {what}"))?;
    let all = if let Value::Array(all) = read { all } else { vec![read] };
    let objects = all.into_iter().map(|one| match one {
        Value::Object(object) => Ok(object),
        _ => Err(format!("the arguments are no objects: {what}")),
    });
    let objects: Vec<_> = objects.collect::<Result<_, _>>()?;
    if objects.is_empty() { Err(format!("there are no arguments in the array: {what}")) } else { Ok(objects) }
}

fn read(path: &Path) -> Result<Vec<Map<String, Value>>, String> {
    use std::io::Read as _;

    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST_ARGUMENTS + 1).read_to_string(&mut text))
        .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    if text.len() as u64 > MOST_ARGUMENTS {
        return Err(format!(
            "`{}` is larger than {MOST_ARGUMENTS} bytes: take fewer arguments",
            path.display()
        ));
    }
    arguments(&text).map_err(|error| format!("`{}`: {error}", path.display()))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| (0.01..=1e6).contains(rate));
    rate.ok_or_else(|| "write calls a second, from `0.01` to `1000000`".to_owned())
}

fn time(least_ms: u64) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    move |text| {
        let (least, most) = (Duration::from_millis(least_ms), Duration::from_secs(3_600));
        match units::duration(text)? {
            time if (least..=most).contains(&time) => Ok(time),
            _ => Err(format!("write a time from `{least_ms}ms` to `1h`")),
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse().ok());
    let share = number.filter(|percent: &f64| (0.0..=10_000.0).contains(percent));
    share.map(|percent| percent / 100.0).ok_or_else(|| "write a share such as `10%`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &[&str]) -> Result<Options, String> {
        let line = [&["bench"], line].concat();
        let matches = command(str::to_owned).try_get_matches_from(line).map_err(|error| error.to_string())?;
        Options::of(&matches)
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let found = options(&["add", "--arguments", r#"{"a":1}"#]).unwrap();
        assert_eq!(found.components, ["add"]);
        assert_eq!((found.connections, found.rate, &*found.format), (1, None, "table"));
        assert_eq!((found.warmup, found.duration), (Duration::from_secs(1), Duration::from_secs(5)));
        assert!((found.fail_over - 0.1).abs() < 1e-9 && matches!(found.over, Over::Process));
        let found =
            options(&["--json", "--rate", "50", "--stdio", "a 'b c'", "--fail-over", "300%"]).unwrap();
        assert!((found.rate, found.fail_over, &*found.format) == (Some(50.0), 3.0, "json"));
        assert!(matches!(found.over, Over::Stdio(words) if words == ["a", "b c"]));
    }

    #[test]
    fn a_mistake_says_what_to_write() {
        for (line, expected) in [
            (&["--arguments", "[1]"][..], "the arguments are no objects: write an object"),
            (&["--arguments", "[]"], "there are no arguments in the array"),
            (&["--arguments", "{"], "the arguments are no JSON"),
            (&["--arguments-file", "/nowhere.json"], "`/nowhere.json` cannot be read"),
            (&["--rate", "0"], "write calls a second"),
            (&["--rate", "NaN"], "write calls a second"),
            (&["--duration", "1ms"], "write a time from `10ms` to `1h`"),
            (&["--connections", "0"], "0 is not in 1..=1024"),
            (&["--fail-over", "0.1"], "write a share such as `10%`"),
            (&["--stdio", "a 'b"], "a quote is not closed"),
            (&["--arguments", "{}", "--arguments-file", "x"], "cannot be used with"),
        ] {
            let error = options(line).unwrap_err();
            assert!(error.contains(expected), "{line:?}: {error}");
        }
    }
}
