//! The client over stdio: one thread, a fixed number of requests in flight.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::process::{ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use nix::poll::{PollFd, PollFlags, poll};

use super::{PATIENCE_MS, Times};
use crate::request::{Ask, Era, INITIALIZE, INITIALIZED, Request, answered};

/// How many requests are in flight.
///
/// Together they fit into a pipe, which holds 64 KiB, so that no write blocks.
pub(crate) const IN_FLIGHT: usize = 64;

/// A client that sends a request for each answer it gets.
pub(crate) struct Client {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    request: Request,
    /// When the request in each place was sent, and how many were before it.
    places: Vec<(Instant, u64)>,
    /// How long every answer has to be: as long as the checked one.
    size: usize,
}

impl Client {
    /// Shakes hands where the era has that, and checks one answer.
    pub(crate) fn connect(stdin: ChildStdin, stdout: ChildStdout, ask: &Ask, era: Era) -> Result<Self> {
        let (request, places) = (ask.line(era), vec![(Instant::now(), 0); IN_FLIGHT]);
        let stdout = BufReader::with_capacity(64 << 10, stdout);
        let mut client = Self { stdin, stdout, request, places, size: 0 };
        let mut line = Vec::new();
        if era == Era::Legacy {
            client.write(INITIALIZE.as_bytes())?;
            client.read_line(&mut line)?;
            client.write(INITIALIZED.as_bytes())?;
        }
        let mut first = Vec::new();
        client.next(0, &mut first);
        client.write(&first)?;
        client.read_line(&mut line)?;
        ask.check(&line)?;
        client.size = line.len();
        Ok(client)
    }

    /// Returns how long an answer is, without the end of its line.
    pub(crate) fn answer_bytes(&self) -> usize {
        self.size - 1
    }

    /// Sends as many requests as are to be in flight.
    pub(crate) fn send_all(&mut self) -> Result<()> {
        let mut requests = Vec::new();
        (0..IN_FLIGHT).for_each(|place| self.next(place, &mut requests));
        self.write(&requests)
    }

    /// Keeps them in flight for a while; returns how long it was.
    pub(crate) fn drive(&mut self, time: Duration, times: &mut Times) -> Result<Duration> {
        let began = Instant::now();
        let (mut line, mut requests) = (Vec::new(), Vec::new());
        while began.elapsed() < time {
            requests.clear();
            // As many as one read brought are answered with one write.
            loop {
                self.read_line(&mut line)?;
                ensure!(
                    line.len() == self.size,
                    "an answer of {} bytes after one of {}",
                    line.len(),
                    self.size
                );
                let place = (answered(&line)? % IN_FLIGHT as u64) as usize;
                times.push(self.places[place].0.elapsed());
                self.next(place, &mut requests);
                if !self.stdout.buffer().contains(&b'\n') {
                    break;
                }
            }
            self.write(&requests)?;
        }
        Ok(began.elapsed())
    }

    /// Adds the next request of a place, whose number says the place.
    fn next(&mut self, place: usize, requests: &mut Vec<u8>) {
        let (sent, before) = &mut self.places[place];
        (*sent, *before) = (Instant::now(), *before + 1);
        self.request.number(*before * IN_FLIGHT as u64 + place as u64);
        requests.extend_from_slice(self.request.bytes());
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stdin.write_all(bytes).context("the server closed its stdin")
    }

    fn read_line(&mut self, line: &mut Vec<u8>) -> Result<()> {
        line.clear();
        if self.stdout.buffer().is_empty() {
            let mut readable = [PollFd::new(self.stdout.get_ref().as_fd(), PollFlags::POLLIN)];
            ensure!(poll(&mut readable, PATIENCE_MS)? > 0, "the server did not answer for {PATIENCE_MS} ms");
        }
        self.stdout.read_until(b'\n', line)?;
        ensure!(line.last() == Some(&b'\n'), "the server closed its stdout");
        Ok(())
    }
}
