//! `bench` as a program: in process, of a server that runs, and against what an earlier run saved.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use harness::program::{self, Running};
use mcp_server::serde_json::{self, Value};

/// A folder of one test's own.
struct Place(program::Place);

impl Place {
    fn new(name: &str) -> Self {
        Self(program::Place::new(&format!("bench-{name}")))
    }

    /// Serves HTTP until what is returned is dropped.
    fn served(&self, flags: &[&str]) -> Running {
        Running::http(|arguments| self.command(arguments), &[&["--log", "off"], flags].concat())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.0.command(env!("CARGO_BIN_EXE_benched"), arguments)
    }

    /// Runs `bench` for a moment, in an environment.
    fn bench(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let moment = ["--duration", "300ms", "--warmup", "50ms"];
        let arguments = [&["bench"], arguments, &moment].concat();
        Ran::of(self.command(&arguments).envs(environment.iter().copied()).output().unwrap())
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&*self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// How a command ended, and what it said.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

#[test]
fn in_process_a_cached_tool_is_cold_and_warm_and_the_rest_is_told() {
    let place = Place::new("process");
    let arguments = r#"[{"number":1},{"number":2}]"#;
    let ran = place.bench(&["doubled", "--arguments", arguments, "--json"], &[]).ended(0);
    let found = ran.json();
    assert_eq!((&found["version"], &found["interrupted"]), (&1.into(), &false.into()));
    let [cold, warm] = &*found["components"][0]["passes"].as_array().unwrap().clone() else { panic!() };
    assert_eq!((&cold["pass"], &warm["pass"]), (&"cold".into(), &"warm".into()));
    let times = |pass: &Value| {
        let of = |name: &str| pass["times"][name].as_u64().unwrap();
        [of("p50_ns"), of("p90_ns"), of("p99_ns"), of("p999_ns"), of("max_ns")]
    };
    // The function sleeps for 2 ms, a hit for none.
    assert!(times(cold)[0] >= 2_000_000 && times(warm)[0] < 1_000_000, "{cold} {warm}");
    assert!(times(cold).is_sorted() && times(warm).is_sorted());
    assert!(warm["calls"].as_u64() > cold["calls"].as_u64() && cold["others"] == 0, "{cold} {warm}");
    assert_eq!(cold["figures"]["statements"]["exact"], 0);
    assert!(cold["figures"]["allocations"]["mean"].as_f64() > Some(1.0), "{cold}");
    assert!(!ran.out.contains("number"), "arguments are not written: {}", ran.out);

    let all = place.bench(&[], &[]).ended(0).out;
    assert!(
        all.contains("tool works") && all.contains("prompt hello") && !all.contains("tool fails  "),
        "{all}"
    );
    for skipped in [
        "closed loop: each connection waits for its answer",
        r#"- tool doubled: it takes arguments: `bench doubled --arguments '{"number": 1}'`"#,
        "- tool fails: it is not `read_only`, and would really run: `bench fails`",
        "- resource page://{number}: it takes arguments: `bench page://1`",
    ] {
        assert!(all.contains(skipped), "{skipped}: {all}");
    }
    let markdown = place.bench(&["page://7", "--format", "markdown"], &[]).ended(0).out;
    assert!(
        markdown.contains("| resource page://7 | cold | ") && markdown.contains("| warm | "),
        "{markdown}"
    );
}

#[test]
fn what_was_saved_is_what_a_later_run_is_held_against() {
    let place = Place::new("baseline");
    let saved = |arguments: &[&str], environment: &[(&str, &str)]| {
        let base = ["works", "--baseline", "base.json", "--fail-over", "300%"];
        place.bench(&[&base, arguments].concat(), environment)
    };
    place.bench(&["works", "--save", "base.json"], &[("BENCHED_MS", "2")]).ended(0);
    assert_eq!(place.names(), ["base.json", "run"], "no draft is left");

    let same = saved(&["--json"], &[("BENCHED_MS", "2")]).ended(0).json();
    assert_eq!(same["comparison"]["times"][0]["component"], "tool works");
    assert_eq!(same["comparison"]["figures"], serde_json::json!([]));

    let slow = saved(&[], &[("BENCHED_MS", "25")]).ended(1);
    let row = slow.out.lines().find(|line| line.ends_with("  slower"));
    assert!(row.is_some_and(|row| row.starts_with("tool works  calls")), "{}", slow.out);

    // What fails by a baseline does not become it.
    let text = std::fs::read_to_string(place.0.join("base.json")).unwrap();
    let again = saved(&["--save", "./base.json"], &[("BENCHED_MS", "25")]).ended(1);
    assert!(again.err.contains("`./base.json` stays as it was"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(place.0.join("base.json")).unwrap(), text);
    // Nor is a baseline of other components one that is met.
    let other = place.bench(&["hello", "--baseline", "base.json"], &[]).ended(2);
    assert!(other.err.contains("nothing of what was measured"), "{}", other.err);
    assert!(
        other.out.contains("tool works, calls: is in the baseline, and was not asked for now"),
        "{}",
        other.out
    );

    let more = saved(&[], &[("BENCHED_MS", "2"), ("BENCHED_PIECES", "1")]).ended(1);
    assert!(more.out.contains(" allocations a call, now ") && more.out.contains(": worse"), "{}", more.out);

    // Another machine: nothing is said of times, unless one insists.
    let text = std::fs::read_to_string(place.0.join("base.json")).unwrap();
    let mut base: Value = serde_json::from_str(&text).unwrap();
    base["machine"]["cpu"] = "abacus".into();
    std::fs::write(place.0.join("base.json"), base.to_string()).unwrap();
    let refused = saved(&[], &[("BENCHED_MS", "25")]).ended(2);
    assert!(refused.err.contains("times are not compared: processor: `abacus` then"), "{}", refused.err);
    saved(&["--force"], &[("BENCHED_MS", "25")]).ended(1);
    saved(&["--force"], &[("BENCHED_MS", "2")]).ended(0);
}

#[test]
fn a_server_that_runs_is_called_over_http_and_stdio() {
    let place = Place::new("remote");
    let running = place.served(&["--auth-tokens", "alice=secret"]);
    let http = ["--http", &running.1, "--token", "secret"];
    let program = format!("'{}' --log off", env!("CARGO_BIN_EXE_benched"));
    let stdio = ["--stdio", &program];
    for over in [&http[..], &stdio] {
        // What the server lists, less what cannot be called as it is.
        let found = place.bench(&[over, &["--connections", "2", "--json"]].concat(), &[]).ended(0).json();
        let names: Vec<_> =
            found["components"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
        assert_eq!(names, ["works", "hello"], "{over:?}");
        assert_eq!(found["skipped"].as_array().unwrap().len(), 3);
        let named = ["doubled", "--arguments", r#"{"number":4}"#, "--rate", "100", "--json"];
        let found = place.bench(&[&named[..], over].concat(), &[]).ended(0).json();
        let pass = &found["components"][0]["passes"][0];
        assert!(
            pass["calls"] == 30 && pass["failed"] == 0 && pass["times"]["p50_ns"].as_u64() > Some(0),
            "{pass}"
        );
        place.bench(&[over, &["page://4"]].concat(), &[]).ended(0);
        let failing = place.bench(&[over, &["fails"]].concat(), &[]).ended(3);
        assert!(failing.out.contains("the printer is out of paper"), "{}", failing.out);
    }
    let refused = place.bench(&["--http", &running.1], &[]).ended(3);
    assert!(refused.err.contains("write `--token TOKEN`"), "{}", refused.err);
    let url = running.1.clone();
    drop(running);
    let gone = place.bench(&["--http", &url, "works"], &[]).ended(3);
    assert!(gone.err.contains("no server answers at `127.0.0.1:"), "{}", gone.err);
}

/// Speaks the handshake alone, ends at any other first message as older servers do, and writes down its process.
const OLD: &str = r#"
echo $$ >> pids
sleep 300 & echo $! >> pids
read -r first
case "$first" in *'"initialize"'*) ;; *) exit 1;; esac
echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"old","version":"1"}}}'
read -r initialized
while read -r line; do
  id=${line#*'"id":'}; id=${id%%,*}
  case "$line" in
    *'"tools/list"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"tools":[{"name":"old","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object"}}]}}';;
    *'"tools/call"'*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"content":[]}}';;
    *) echo '{"jsonrpc":"2.0","id":'$id',"error":{"code":-32601,"message":"unknown method"}}';;
  esac
done
trap '' TERM; while :; do sleep 1; done
"#;

#[test]
fn an_older_server_is_greeted_and_none_is_left_behind() {
    let place = Place::new("older");
    std::fs::write(place.0.join("old.sh"), OLD).unwrap();
    let found = place.bench(&["--stdio", "sh old.sh", "--json"], &[]).ended(0).json();
    let pass = &found["components"][0]["passes"][0];
    assert!(found["components"][0]["name"] == "old" && pass["calls"].as_u64() > Some(10), "{found}");
    let pids = std::fs::read_to_string(place.0.join("pids")).unwrap();
    // It does not end with its stdin, and hears no signal but the last.
    let alive = || {
        let stat = |pid: &&str| std::fs::read_to_string(format!("/proc/{pid}/stat"));
        // One that nobody has asked after yet is over too.
        pids.split_whitespace().filter(|pid| stat(pid).is_ok_and(|stat| !stat.contains(") Z "))).count()
    };
    let start = Instant::now();
    while alive() > 0 && start.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!((pids.split_whitespace().count(), alive()), (4, 0));
}

#[test]
fn failures_mistakes_and_an_interruption_have_their_words_and_codes() {
    let place = Place::new("mistakes");
    let failing = place.bench(&["fails", "--save", "base.json"], &[]).ended(3);
    assert!(failing.err.contains("it really runs, again and again"), "{}", failing.err);
    assert!(failing.err.contains("calls failed, and nothing is saved"), "{}", failing.err);
    assert!(failing.out.contains("the printer is out of paper"), "{}", failing.out);
    assert_eq!(place.names(), ["run"]);

    std::fs::write(place.0.join("later.json"), r#"{"version":9}"#).unwrap();
    for (arguments, code, expected) in [
        (&["wrks"][..], 2, "no component is named `wrks`: did you mean `works`?"),
        (&["doubled"], 2, r#"write `bench doubled --arguments '{"number": 1}'`"#),
        (&["works", "--arguments", "[1]"], 2, "write an object such as `{\"a\": 1}`"),
        (&["works", "--baseline", "later.json"], 2, "is of version 9, and this program knows version 1"),
        (&["works", "--baseline", "nowhere.json"], 2, "`nowhere.json` cannot be read"),
        (&["works", "--save", "no/where.json"], 2, "`no/where.json` cannot be written"),
        (&["works", "--rate=-1"], 2, "write calls a second"),
        (&["--http", "https://example.com/mcp"], 2, "`bench` speaks no TLS"),
        (&["--stdio", "./nothing"], 3, "`./nothing` cannot be started"),
        (&["--stdio", "true"], 3, "the command starts no server that `bench` can speak to"),
    ] {
        let ran = place.bench(arguments, &[]).ended(code);
        assert!(ran.err.contains(expected), "{arguments:?}: {}", ran.err);
    }

    let told = place.bench(&["works"], &[("RUST_LOG", "a=b=c")]).ended(2);
    assert!(told.err.contains("RUST_LOG is `a=b=c`"), "{}", told.err);

    let command = ["bench", "works", "--duration", "60s", "--warmup", "0s", "--save", "base.json"];
    let long = place.command(&command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(2_000));
    assert!(Command::new("kill").args(["-INT", &long.id().to_string()]).status().unwrap().success());
    let ran = Ran::of(long.wait_with_output().unwrap()).ended(3);
    assert!(ran.err.contains("neither saved nor compared") && ran.out.contains("tool works"), "{}", ran.err);
    assert!(!place.names().contains(&"base.json".to_owned()));
}
