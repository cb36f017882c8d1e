//! A PostgreSQL of a test's own, which is stopped and started again under calls.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use mcp_core::cache::level::Level;
use mcp_core::cache::sql::{Database, DatabaseOptions};
use mcp_core::cache::{Cache, CacheOptions, Loaded, Lookup};
use mcp_core::policy::{CachePolicy, Levels};

use crate::suite::application;
use crate::support::*;

/// A cluster of databases in a folder of its own.
struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Cluster {
    /// Starts one; `None` where the programs of the server are not installed.
    fn start() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let programs =
            versions.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists())?;
        let folder = std::env::temp_dir().join(format!("mcp-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { programs, folder, port };
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(&cluster.folder).status().unwrap();
            assert!(owned.success());
        }
        cluster.run("initdb", &["-U", "postgres", "-A", "trust", "--no-sync"]);
        cluster.control("start");
        Some(cluster)
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn control(&self, what: &str) {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -k {}", self.port, self.folder.display());
        let log = self.folder.join("log");
        let mut arguments = vec!["-w", "-o", &options, "-l", log.to_str().unwrap()];
        arguments.extend(what.split(' '));
        self.run("pg_ctl", &arguments);
    }

    /// Runs a program of the server, which refuses to be run by root.
    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.arg("-D").arg(self.folder.join("data")).args(arguments).current_dir("/");
        // The server keeps what it is started with, and would hold up who reads its end.
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.unwrap().success(), "{arguments:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.control("stop -m immediate");
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;

    Path::new("/proc/self").metadata().is_ok_and(|own| own.uid() == 0)
}

async fn node(cluster: &Cluster, application: &str) -> Cache {
    let options = DatabaseOptions { application: application.to_owned(), ..DatabaseOptions::default() };
    let level: Arc<dyn Level> = Arc::new(Database::open(&cluster.url(), options).unwrap());
    let options = CacheOptions { levels: vec![level], secret: Some([3; 32]), ..CacheOptions::default() };
    let cache = Cache::new(options);
    cache.open().await;
    cache
}

/// Calls for the version that is true now; a result from the level or from memory may be older.
async fn call(cache: &Cache, levels: Levels, truth: &Arc<AtomicU64>) -> u64 {
    let key = cache.key("tool/test", 1, 1).finish().unwrap();
    let policy = CachePolicy::new().levels(levels);
    let lookup = Lookup { key, tags: [tag("a")].into(), policy, timeout: None };
    let truth = Arc::clone(truth);
    let run = || async move {
        let body = truth.load(SeqCst).to_string().into();
        Ok(Loaded { body, store: true, failed: false, own: false })
    };
    // No call fails, whatever the database does.
    let served = cache.get_or_run(lookup, run).await.result.unwrap();
    std::str::from_utf8(&served).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_started_again_fails_no_call_and_brings_nothing_old_back() {
    let Some(cluster) = Cluster::start() else {
        return println!("skipped: the programs of PostgreSQL are not under /usr/lib/postgresql");
    };
    let application = application("restart");
    let (here, there) = (node(&cluster, &application).await, node(&cluster, &application).await);
    let (truth, invalidated) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicU64::new(0)));
    let over = Arc::new(AtomicBool::new(false));
    let mut callers = Vec::new();
    for caller in 0..8 {
        // Half of them ask the database each time.
        let levels = if caller % 2 == 0 { Levels::Shared } else { Levels::All };
        let (here, truth, invalidated, over) =
            (here.clone(), Arc::clone(&truth), Arc::clone(&invalidated), Arc::clone(&over));
        callers.push(tokio::spawn(async move {
            let mut calls = 0_u64;
            while !over.load(SeqCst) {
                let least = invalidated.load(SeqCst);
                let version = call(&here, levels, &truth).await;
                assert!(version >= least, "{version} after {least} was made invalid");
                calls += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            calls
        }));
    }
    for how in ["restart -m fast", "restart -m immediate", "stop -m immediate"] {
        let version = truth.fetch_add(1, SeqCst) + 1;
        here.invalidate_tag("a").await;
        invalidated.store(version, SeqCst);
        until("the other has heard", async || call(&there, Levels::All, &truth).await >= version).await;
        tokio::task::block_in_place(|| {
            cluster.control(how);
            if how.starts_with("stop") {
                std::thread::sleep(Duration::from_millis(1500));
                cluster.control("start");
            }
        });
        until("the level is used again", async || {
            _ = call(&here, Levels::Shared, &truth).await;
            here.stats().levels[0].up && here.stats().levels[0].pending == 0
        })
        .await;
        assert!(call(&there, Levels::All, &truth).await >= version);
    }
    over.store(true, SeqCst);
    for caller in callers {
        assert!(caller.await.unwrap() > 100);
    }
}
