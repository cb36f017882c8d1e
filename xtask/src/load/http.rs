//! The client over HTTP: one thread, one epoll, keep-alive connections in a closed loop.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};

use super::answer::Answer;
use super::{PATIENCE_MS, Times};
use crate::request::{Ask, Request};

/// Connections that ask again as soon as they are answered.
pub(crate) struct Clients {
    connections: Vec<Connection>,
    epoll: Epoll,
    scratch: Vec<u8>,
    /// How long every answer has to be: as long as the checked one.
    size: usize,
}

struct Connection {
    stream: TcpStream,
    request: Request,
    number: u64,
    /// How much of the request is sent; all of it before the first is due.
    written: usize,
    sent: Instant,
    answer: Answer,
}

impl Clients {
    /// Connects, and checks one answer, whose message is returned too.
    pub(crate) fn connect(address: SocketAddr, ask: &Ask, count: usize) -> Result<(Self, Vec<u8>)> {
        let mut clients = Self::unchecked(address, ask, count)?;
        clients.connections[0].answer.keep = true;
        clients.ask_one_by_one(1)?;
        let answer = &mut clients.connections[0].answer;
        answer.keep = false;
        let message = answer.message().to_vec();
        ask.check(&message)?;
        clients.size = answer.size;
        Ok((clients, message))
    }

    /// Connects, and asks nothing yet.
    pub(crate) fn unchecked(address: SocketAddr, ask: &Ask, count: usize) -> Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let request = ask.http(&address.to_string());
        let mut connections = Vec::with_capacity(count);
        for index in 0..count {
            let stream = TcpStream::connect(address).context("the server does not listen")?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            // By edges, so that neither direction has to be asked for again.
            let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
            epoll.add(&stream, EpollEvent::new(flags, index as u64))?;
            connections.push(Connection {
                stream,
                number: index as u64,
                written: request.bytes().len(),
                request: request.clone(),
                sent: Instant::now(),
                answer: Answer::default(),
            });
        }
        Ok(Self { connections, epoll, scratch: vec![0; 256 << 10], size: 0 })
    }

    /// Asks once on each of the first connections, one after another.
    pub(crate) fn ask_one_by_one(&mut self, count: usize) -> Result<()> {
        for index in 0..count {
            self.connections[index].send()?;
            self.until_answered(index)?;
        }
        Ok(())
    }

    /// Sends a request on each connection.
    pub(crate) fn send_all(&mut self) -> Result<()> {
        self.connections.iter_mut().try_for_each(Connection::send)
    }

    /// Keeps all connections busy for a while; returns how long it was.
    ///
    /// Each has a request under way already, from [`send_all`](Self::send_all).
    pub(crate) fn drive(&mut self, time: Duration, times: &mut Times) -> Result<Duration> {
        let began = Instant::now();
        let mut events = [EpollEvent::empty(); 256];
        while began.elapsed() < time {
            for event in wait(&self.epoll, &mut events)? {
                let connection = &mut self.connections[event.data() as usize];
                if connection.advance(&mut self.scratch)? {
                    times.push(connection.sent.elapsed());
                    let size = connection.answer.size;
                    ensure!(size == self.size, "an answer has {size} bytes, the one before {}", self.size);
                    connection.send()?;
                }
            }
        }
        Ok(began.elapsed())
    }

    fn until_answered(&mut self, index: usize) -> Result<()> {
        let mut events = [EpollEvent::empty(); 256];
        loop {
            for event in wait(&self.epoll, &mut events)? {
                let other = event.data() as usize;
                let answered = self.connections[other].advance(&mut self.scratch)?;
                if answered && other == index {
                    return Ok(());
                }
            }
        }
    }
}

fn wait<'a>(epoll: &Epoll, events: &'a mut [EpollEvent]) -> Result<&'a [EpollEvent]> {
    match epoll.wait(events, PATIENCE_MS) {
        Ok(0) => bail!("the server did not answer for {PATIENCE_MS} ms"),
        Ok(count) => Ok(&events[..count]),
        Err(Errno::EINTR) => Ok(&[]),
        Err(error) => Err(error.into()),
    }
}

impl Connection {
    fn send(&mut self) -> Result<()> {
        self.number += 1;
        self.request.number(self.number);
        self.written = 0;
        self.sent = Instant::now();
        self.write_on()
    }

    fn write_on(&mut self) -> Result<()> {
        while self.written < self.request.bytes().len() {
            match self.stream.write(&self.request.bytes()[self.written..]) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("the server hung up"),
            }
        }
        Ok(())
    }

    /// Goes on after an event; returns whether the request is answered.
    fn advance(&mut self, scratch: &mut [u8]) -> Result<bool> {
        self.write_on()?;
        loop {
            match self.stream.read(scratch) {
                Ok(read) => {
                    ensure!(read > 0, "the server hung up");
                    if self.answer.read(&scratch[..read])? {
                        return Ok(true);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error).context("the server hung up"),
            }
        }
    }
}
