//! A server on a port, and the lines that its process logs.

use std::io::Write;
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use harness::Http;
use mcp_server::profile::{ComponentReport, Finding, Report, Window};
use mcp_server::{Config, Server};
use serde_json::{Value, json};
use tracing_subscriber::prelude::*;

use super::tools;

/// How soon what a call shows has to be reported.
const SOON: Duration = Duration::from_secs(2);

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What the process has logged at `WARN` and above.
pub(crate) fn lines() -> String {
    String::from_utf8(LINES.lock().unwrap().clone()).unwrap()
}

pub(crate) struct Lab {
    pub(crate) server: Arc<Server>,
    pub(crate) http: Http,
}

impl Lab {
    /// Serves all tools; calls from 200 ms on are slow.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// Serves all tools with other settings.
    pub(crate) async fn with(set: impl FnOnce(&mut Config)) -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Lines);
            let lines = lines.with_filter(tracing_subscriber::filter::LevelFilter::WARN);
            tracing_subscriber::registry().with(lines).with(mcp_server::profile::sql::layer()).init();
        });
        let mut config = Config::default();
        config.slow_threshold = Duration::from_millis(200);
        set(&mut config);
        let server = Arc::new(tools::all(Server::builder().config(config)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = Http::at(format!("http://{}/mcp", listener.local_addr().unwrap()));
        let serving = Arc::clone(&server);
        tokio::spawn(async move { serving.serve_listener(listener).await });
        Self { server, http }
    }

    /// Calls a tool, and expects a result.
    pub(crate) async fn call(&self, name: &str, arguments: Value) {
        let reply = self.http.request("tools/call", json!({ "name": name, "arguments": arguments })).await;
        assert_eq!(reply.status, 200, "{name}");
    }

    pub(crate) fn report(&self) -> Report {
        self.server.report().unwrap()
    }

    pub(crate) fn component(&self, name: &str) -> ComponentReport {
        let found = self.report().components.into_iter().find(|component| component.name == name);
        found.unwrap_or_else(|| panic!("`{name}` was not called"))
    }

    pub(crate) fn window(&self, name: &str) -> Window {
        self.component(name).windows["start"].clone()
    }

    /// Waits until a tool is found to do something, in the report and in the log.
    pub(crate) async fn found(&self, name: &str, kind: &str) -> Finding {
        let began = Instant::now();
        let component = format!("tool {name}");
        loop {
            let report = self.report();
            let found =
                report.findings.iter().find(|found| found.component == component && found.kind == kind);
            let logged = lines()
                .lines()
                .any(|line| line.contains(&component) && line.contains(kind) && line.contains("tools.rs"));
            if let Some(found) = found.filter(|_| logged) {
                return found.clone();
            }
            assert!(began.elapsed() < SOON, "{kind} of {name}: {:?}\n{}", report.findings, lines());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
