//! `check`, of a real program: what it finds where nothing, or something, is wrong.

#![allow(unreachable_pub, missing_docs, reason = "these are tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::program::{self, Running};
use mcp_server::serde_json::{self, Value, json};
use mcp_server::tokio;
use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;

/// A folder of one test's own.
struct Place(program::Place);

impl Place {
    fn new(name: &str) -> Self {
        Self(program::Place::new(&format!("check-{name}")))
    }

    fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = self.0.command(env!("CARGO_BIN_EXE_served"), arguments);
        command.envs(variables.iter().copied());
        command
    }

    fn check(&self, variables: &[(&str, &str)]) -> Checked {
        let output = self.command(&["check", "--json"], variables).output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!(json["version"], 1);
        Checked { json, code: output.status.code().unwrap() }
    }

    /// Returns all that is printed, as text and as JSON.
    fn printed(&self, variables: &[(&str, &str)]) -> String {
        let both = [&["check", "--settings"][..], &["check", "--json"]];
        let outputs = both.map(|arguments| self.command(arguments, variables).output().unwrap());
        let texts = outputs.iter().flat_map(|output| [&output.stdout, &output.stderr]);
        texts.map(|text| String::from_utf8_lossy(text)).collect()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.0.join(file), text).unwrap();
    }
}

/// What was found.
struct Checked {
    json: Value,
    code: i32,
}

impl Checked {
    fn all(&self) -> &[Value] {
        self.json["checks"].as_array().unwrap()
    }

    /// Returns the names of what is in a state.
    fn names(&self, state: &str) -> Vec<&str> {
        let all = self.all().iter().filter(|check| check["state"] == state);
        all.map(|check| check["name"].as_str().unwrap()).collect()
    }

    /// Returns the state of a check, and what was found.
    fn of(&self, group: &str, name: &str) -> (&str, &str) {
        let all = self.all();
        let found = all.iter().find(|check| check["group"] == group && check["name"] == name);
        let found = found.unwrap_or_else(|| panic!("no {name} of {group}: {all:#?}"));
        (found["state"].as_str().unwrap(), found["found"].as_str().unwrap())
    }
}

/// What fails in each debug build.
const DEBUG: &[&str] = if cfg!(debug_assertions) { &["debug assertions"] } else { &[] };

fn redis() -> String {
    std::env::var("MCP_TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned())
}

#[test]
fn a_server_as_it_comes_fails_for_its_debug_build_alone() {
    let checked = Place::new("clean").check(&[]);
    assert_eq!(checked.names("fail"), DEBUG);
    assert_eq!(checked.code, i32::from(!DEBUG.is_empty()));
    assert_eq!(checked.of("profiler", "statements").0, "pass");
    assert_eq!(checked.of("running server", "process").0, "skip");
    // Tools of the fixture say neither what they may do nor when they end.
    assert_eq!(checked.names("warn"), ["alerts", "hints", "timeouts"]);
    assert_eq!(checked.json["settings"]["max_concurrency"], json!({ "value": "1024", "from": "default" }));
}

#[test]
fn a_redis_that_says_nothing_fails_in_time_and_the_rest_is_judged() {
    let place = Place::new("silent");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("redis://:s3cret@{}/", listener.local_addr().unwrap());
    let begun = Instant::now();
    let checked = place.check(&[("MCP_REDIS_URL", &silent)]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(checked.of("cache", "redis").0, "fail");
    assert_eq!(checked.of("running server", "unused").0, "warn", "the history is there too");
    assert_eq!(checked.of("components", "linked").0, "pass");
    assert_eq!(checked.code, 1);

    drop(listener);
    let checked = place.check(&[("MCP_REDIS_URL", &silent)]);
    assert_eq!(checked.of("cache", "redis").0, "fail");
    assert!(!place.printed(&[("MCP_REDIS_URL", &silent)]).contains("s3cret"));
}

#[tokio::test]
async fn a_redis_that_answers_is_left_as_it_was() {
    let place = Place::new("redis");
    let application = format!("check-{}", std::process::id());
    let variables = [("MCP_CACHE_REDIS_URL", &*redis()), ("MCP_CACHE_APPLICATION", &*application)];
    let checked = place.check(&variables);
    let (state, found) = checked.of("cache", "redis");
    assert!(state == "pass" && found.contains("answers"), "{state}: {found}");
    assert_eq!(checked.of("cache", "redis clock").0, "pass");
    assert_eq!(checked.names("fail"), DEBUG);

    let client = redis::Client::open(redis()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys = async |connection: &mut redis::aio::MultiplexedConnection| -> Vec<String> {
        let pattern = format!("mcp:{{{application}}}:*");
        redis::cmd("KEYS").arg(pattern).query_async(connection).await.unwrap()
    };
    assert!(keys(&mut connection).await.is_empty(), "nothing is left behind");

    // What a server made stays.
    let marks = format!("mcp:{{{application}}}:marks");
    let made = [("n", "1700000000000000"), ("all", "1700000000000000")];
    let () = redis::cmd("HSET").arg(&marks).arg(&made).query_async(&mut connection).await.unwrap();
    assert_eq!(place.check(&variables).of("cache", "redis").0, "pass");
    assert_eq!(keys(&mut connection).await, [&*marks]);
    let all: String = redis::cmd("HGET").arg(&marks).arg("all").query_async(&mut connection).await.unwrap();
    assert_eq!(all, made[1].1);
    let () = redis::cmd("DEL").arg(marks).query_async(&mut connection).await.unwrap();
}

#[test]
fn a_database_is_used_where_it_is_there_and_made_by_nobody_but_its_server() {
    let place = Place::new("sqlite");
    let database = |url: &str| {
        let checked = place.check(&[("MCP_CACHE_DATABASE_URL", url)]);
        let (state, found) = checked.of("cache", "database");
        (state.to_owned(), found.to_owned())
    };
    let (state, found) = database("sqlite://nowhere/results.db");
    assert!(state == "fail" && found.contains("nowhere"), "{state}: {found}");

    let (state, found) = database("sqlite://results.db");
    assert!(state == "pass" && found.contains("the first start may make it"), "{state}: {found}");
    assert!(!place.0.join("results.db").exists());

    let used = [("MCP_CACHE_DATABASE_URL", "sqlite://results.db")];
    assert!(place.command(&["call", "products"], &used).output().unwrap().status.success());
    assert!(place.0.join("results.db").exists());
    let (state, found) = database("sqlite://results.db");
    assert!(state == "pass" && found.contains("was written"), "{state}: {found}");

    // Its first use would remove each of these, or move it aside: a check does not.
    let whole = std::fs::read(place.0.join("results.db")).unwrap();
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file.splice(at..at + bytes.len(), bytes.iter().copied());
        file
    };
    let version = changed(60, &2_u32.to_be_bytes());
    let tables = changed(100, &[0xff; 8]);
    for (name, file) in [("version", version), ("corrupt", tables), ("empty", Vec::new())] {
        let folder = place.0.join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("x.db"), &file).unwrap();
        let (state, found) = database(&format!("sqlite://{name}/x.db"));
        assert!(state == "warn" && found.contains("would be made anew"), "{name}, {state}: {found}");
        assert!(std::fs::read(folder.join("x.db")).unwrap() == file, "{name}: it is as it was");
        let beside = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(beside.collect::<Vec<_>>(), ["x.db"], "{name}");
    }

    place.write("other.db", "this is no database, but somebody's text, and stays what it is");
    assert_eq!(database("sqlite://other.db").0, "fail");
    assert_eq!(database("mysql://s3cret@host").0, "fail");
}

#[tokio::test]
async fn tables_of_another_version_are_left_as_they_are() {
    use sqlx::{Connection as _, Executor as _};

    let url = std::env::var("MCP_TEST_POSTGRES_URL");
    let url = url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    let schema = format!("mcp_check_{}", std::process::id());
    let own = format!("{url}{}options[search_path]={schema}", if url.contains('?') { '&' } else { '?' });
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let mut run = async |sql: String| {
        connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    };
    let place = Place::new("postgres");
    let variables = [("MCP_CACHE_DATABASE_URL", &*own)];
    let database = || {
        let checked = place.check(&variables);
        let (state, found) = checked.of("cache", "database");
        (state.to_owned(), found.to_owned())
    };
    run(format!("CREATE SCHEMA {schema}")).await;
    let (state, found) = database();
    assert!(state == "pass" && found.contains("nothing is there yet"), "{state}: {found}");
    // This would fail if the check had made the tables.
    run(format!("CREATE TABLE {schema}.mcp_cache_values (kept INTEGER)")).await;
    let (state, found) = database();
    assert!(state == "warn" && found.contains("of another version"), "{state}: {found}");
    run(format!("SELECT kept FROM {schema}.mcp_cache_values")).await;
    assert!(place.command(&["call", "products"], &variables).output().unwrap().status.success());
    let (state, found) = database();
    assert!(state == "pass" && found.contains("was written"), "{state}: {found}");
    run(format!("DROP SCHEMA {schema} CASCADE")).await;
}

#[test]
fn mistakes_of_the_configuration_are_all_told_and_end_nothing() {
    let place = Place::new("mistakes");
    place.write("mcp.toml", "cache_duratoin = 5\nmax_concurrency = 0\n");
    let checked = place.check(&[("MCP_CACHE_ENABLED", "maybe"), ("RUST_LOG", "a=b=c")]);
    let told = checked.all().iter().filter(|check| check["name"] == "configuration");
    let told: Vec<_> =
        told.map(|check| (check["found"].as_str().unwrap(), check["fix"].as_str().unwrap())).collect();
    for (part, fix) in [
        ("did you mean `cache_duration`?", "correct `mcp.toml`"),
        ("`max_concurrency`: `0` is no count", "correct `mcp.toml`"),
        ("`maybe` is neither", "correct `MCP_CACHE_ENABLED`"),
        ("RUST_LOG is `a=b=c`", "correct `RUST_LOG`"),
    ] {
        assert!(told.iter().any(|(found, does)| found.contains(part) && *does == fix), "{part}: {told:#?}");
    }
    assert_eq!((told.len(), checked.code), (4, 1));
    assert_eq!(checked.of("components", "linked").0, "pass");

    // What keeps the server from starting is told once.
    place.write("mcp.toml", "cache_encrypt = true\n");
    let checked = place.check(&[]);
    assert_eq!(checked.of("settings", "start"), ("fail", "`cache_encrypt` needs a secret"));
    assert_eq!(checked.names("fail").len(), 1 + DEBUG.len());
}

#[test]
fn no_secret_of_the_configuration_is_printed() {
    let place = Place::new("secrets");
    place.write(
        "mcp.toml",
        "cache_redis_url = \"redis://u:s3cret@127.0.0.1:1\"\ncache_database_url = \"postgres://u:s3cret@127.0.0.1:1/x\"\n\
         cache_secret = \"s3cret-s3cret-s3cret\"\nadmin = \"0.0.0.0:9090\"\nadmin_token = \"s3cret-s3cret-s3cret\"\n\
         alert_webhook = \"http://hooks.example/s3cret\"\nallowed_hosts = [\"shop.example\"]\n\
         [auth_tokens]\nalice = \"s3cret\"\n[app]\nkey = \"s3cret\"\n",
    );
    let printed = place.printed(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:s3cret@127.0.0.1:1/s3cret")]);
    assert!(printed.contains("FAIL admin") && printed.contains("127.0.0.1:1` does not answer"), "{printed}");
    assert!(!printed.contains("s3cret"), "{printed}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let file = place.0.join("mcp.toml");
        let mode =
            |mode: u32| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        let checked = place.check(&[]);
        let (state, found) = checked.of("settings", "mcp.toml");
        assert!(
            state == "fail" && found.contains("`cache_redis_url`") && found.contains("`auth_tokens`"),
            "{found}"
        );
        mode(0o600);
        assert_eq!(place.check(&[]).of("settings", "mcp.toml").0, "pass");
    }
    // A parser that quotes the line would print it.
    place.write("mcp.toml", "cache_secret = \"s3cret-s3cret\nadmin = 1\n");
    let printed = place.printed(&[]);
    assert!(printed.contains("mcp.toml: line 1: ") && !printed.contains("s3cret"), "{printed}");
}

#[test]
fn a_collector_is_looked_for_where_one_is_named() {
    let place = Place::new("collector");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let state = |endpoint: &str, protocol: &str| {
        let variables =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)];
        place.check(&variables).of("profiler", "collector").0.to_owned()
    };
    assert_eq!(state(&endpoint, ""), "pass");
    assert_eq!(state(&endpoint, "grpc"), "fail");
    drop(listener);
    assert_eq!(state(&endpoint, ""), "fail");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_runs_is_asked_what_went_wrong() {
    let place = Place::new("running");
    let running = Running::http(|arguments| place.command(arguments, &[]), &["--log", "off"]);
    let client = ().serve(StreamableHttpClientTransport::from_uri(running.1.clone())).await.unwrap();
    for _ in 0..25 {
        let arguments = json!({ "how": "shown" }).as_object().cloned().unwrap();
        let call = CallToolRequestParams::new("fail").with_arguments(arguments);
        client.call_tool(call).await.unwrap();
    }
    let checked = place.check(&[]);
    let (state, found) = checked.of("running server", "process");
    assert!(state == "pass" && found.contains("runs version "), "{found}");
    let (state, found) = checked.of("running server", "errors");
    assert!(state == "warn" && found.contains("`fail`"), "{state}: {found}");
    assert_eq!(checked.of("running server", "dropped").0, "pass");
    client.cancel().await.unwrap();
}
