//! Gates, a server whose tasks are counted, and the memory of the process.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use harness::{MODERN, Wire};
use mcp_server::{Config, Server};
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::components::server;
use super::raw::Raw;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(25);

/// The tasks of a server that has begun: the one that drops expired results.
const SERVER: usize = 1;

/// The tasks of a listener: its own, and that of the deadlines.
const LISTENER: usize = 2;

/// A place where runs wait. Tests use names of their own.
pub(crate) struct Gate {
    came: AtomicUsize,
    inside: AtomicUsize,
    open: Semaphore,
}

pub(crate) fn gate(name: &str) -> Arc<Gate> {
    static GATES: LazyLock<Mutex<HashMap<String, Arc<Gate>>>> = LazyLock::new(Mutex::default);

    let new = || Gate { came: AtomicUsize::new(0), inside: AtomicUsize::new(0), open: Semaphore::new(0) };
    let mut gates = GATES.lock().unwrap();
    Arc::clone(gates.entry(name.to_owned()).or_insert_with(|| Arc::new(new())))
}

impl Gate {
    pub(crate) async fn pass(&self) {
        let _inside = Inside::new(self);
        self.open.acquire().await.unwrap().forget();
    }

    pub(crate) fn block(&self) {
        let _inside = Inside::new(self);
        while self.open.try_acquire().map(tokio::sync::SemaphorePermit::forget).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets so many runs go on.
    pub(crate) fn let_go(&self, runs: usize) {
        self.open.add_permits(runs);
    }

    /// Returns how many runs have ever come.
    pub(crate) fn came(&self) -> usize {
        self.came.load(SeqCst)
    }

    /// Waits until so many runs wait here.
    pub(crate) async fn has(&self, runs: usize) {
        until(|| self.inside.load(SeqCst) == runs, &format!("{runs} runs at the gate")).await;
    }
}

/// A run at a gate, however it ends.
struct Inside<'a>(&'a Gate);

impl<'a> Inside<'a> {
    fn new(gate: &'a Gate) -> Self {
        gate.came.fetch_add(1, SeqCst);
        gate.inside.fetch_add(1, SeqCst);
        Self(gate)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, SeqCst);
    }
}

/// A server, and how many tasks there are without a client.
pub(crate) struct Lab {
    pub(crate) server: Arc<Server>,
    pub(crate) address: SocketAddr,
    tasks: usize,
}

impl Lab {
    /// Serves HTTP.
    pub(crate) async fn http(config: Config) -> Self {
        let tasks = tasks() + SERVER + LISTENER;
        let server = Arc::new(server(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = Arc::clone(&server);
        tokio::spawn(async move { serving.serve_listener(listener).await.unwrap() });
        Self { server, address, tasks }
    }

    /// Serves pipes.
    pub(crate) fn pipes(config: Config) -> Self {
        let tasks = tasks() + SERVER;
        Self { server: Arc::new(server(config)), address: SocketAddr::from(([0; 4], 0)), tasks }
    }

    pub(crate) async fn raw(&self) -> Raw {
        Raw::connect(self.address).await
    }

    /// Opens a pipe that holds `room` bytes: the client's end, and the task that serves it.
    pub(crate) fn pipe(&self, room: usize) -> (DuplexStream, JoinHandle<Result<(), mcp_server::Error>>) {
        let (ours, theirs) = tokio::io::duplex(room);
        let (read, write) = tokio::io::split(theirs);
        (ours, tokio::spawn(self.server.serve_pipes(read, write)))
    }

    pub(crate) async fn wire(&self) -> Wire {
        Wire::connect(&self.server, MODERN).await
    }

    /// Waits until nothing of any client is left.
    pub(crate) async fn is_clean(&self) {
        until(|| tasks() <= self.tasks, "no task is left of a client").await;
        assert_eq!(self.server.cache().unwrap().flights(), 0);
    }
}

/// Waits until something is so.
pub(crate) async fn until(is_so: impl Fn() -> bool, what: &str) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
        panic!("in vain: {what}; {} tasks", tasks());
    }
}

pub(crate) fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// What the process has taken of memory beyond what it had, in MiB.
pub(crate) struct Memory(u64);

impl Memory {
    pub(crate) fn now() -> Self {
        Self(status("VmRSS:"))
    }

    /// Returns the most that it ever was.
    pub(crate) fn peak(&self) -> u64 {
        status("VmHWM:").saturating_sub(self.0) >> 10
    }
}

fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
