//! A server as a process: its start, its end, and what it uses.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use crate::servers::Server;

/// A running server, which is killed when this is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a server of HTTP, with many tools or with few.
    ///
    /// `answer` is what hyper answers with.
    pub(crate) fn http(server: Server, many: bool, answer: &[u8]) -> Result<(Self, SocketAddr)> {
        let mut command = itself(server)?;
        command.args(["--http", "127.0.0.1:0"]).args(many.then_some("--many"));
        let (process, mut stdin, stdout) = Self::start(&mut command)?;
        // The others read none of it, and a pipe does not hold a long one.
        if server == Server::Hyper {
            stdin.write_all(answer)?;
        }
        drop(stdin);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("{server} did not start to listen"))?;
        Ok((process, address))
    }

    /// Starts a server of stdio.
    pub(crate) fn stdio(server: Server) -> Result<(Self, ChildStdin, ChildStdout)> {
        Self::start(itself(server)?.arg("--stdio"))
    }

    /// Starts any program that serves stdio.
    pub(crate) fn program(path: &Path) -> Result<(Self, ChildStdin, ChildStdout)> {
        Self::start(&mut command(path))
    }

    fn start(command: &mut Command) -> Result<(Self, ChildStdin, ChildStdout)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let program = command.get_program().to_owned();
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let mut process = Self(child);
        let stdin = process.0.stdin.take().context("the server has no stdin")?;
        let stdout = process.0.stdout.take().context("the server has no stdout")?;
        Ok((process, stdin, stdout))
    }

    /// Returns the CPU time of all threads, those that have ended too.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let clock = clock_getcpuclockid(Pid::from_raw(self.0.id().cast_signed()))?;
        Ok(clock_gettime(clock)?.into())
    }

    /// Returns the most memory that it had, in MiB.
    pub(crate) fn peak_mib(&self) -> Result<f64> {
        self.status("VmHWM:")
    }

    /// Returns the memory that it has, in MiB.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        self.status("VmRSS:")
    }

    fn status(&self, key: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        Ok(kib.with_context(|| format!("the process has no `{key}`"))? / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which whoever talked to it has noticed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the command that is this program as one of the servers.
fn itself(server: Server) -> Result<Command> {
    let mut command = command(&std::env::current_exe()?);
    command.args(["serve", server.name()]);
    Ok(command)
}

/// Returns a command that the settings of the caller do not reach.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("MCP_") || text.starts_with("TOKIO_") || text == "RUST_LOG" {
            command.env_remove(&name);
        }
    }
    command
}
