//! The ways that a request goes: over HTTP, and over pipes that were opened in different ways.

use std::fmt;

use mcp_server::tokio::net::TcpListener;
use mcp_server::{Server, tokio};

use super::compare::Answer;
use super::corpus::{LINES, Request, written};
use super::http;
use super::pipes::{self, Opening};
use super::servers::{Kind, Pair};

/// A way, and the era whose `_meta` requests have on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub name: &'static str,
    modern: bool,
    over: Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Http,
    /// In a session of a revision.
    Session(&'static str),
    Pipes(Opening),
    /// Several lines on one connection: those of [`LINES`].
    Lines,
}

/// What came back on both sides.
pub struct Seen {
    pub request: String,
    pub method: Option<String>,
    pub way: &'static str,
    pub lane: Answer,
    pub plain: Answer,
}

impl Way {
    pub const HTTP: Self = Self { name: "http", modern: true, over: Over::Http };

    pub fn all() -> Vec<Self> {
        use Opening::{Handshake, Lane, Modern, None};
        let way = |name, modern, over| Self { name, modern, over };
        vec![
            Self::HTTP,
            way("http session 2024-11-05", false, Over::Session("2024-11-05")),
            way("http session 2025-03-26", false, Over::Session("2025-03-26")),
            way("http session 2025-06-18", false, Over::Session("2025-06-18")),
            way("http session 2025-11-25", false, Over::Session("2025-11-25")),
            way("pipes first", true, Over::Pipes(None)),
            way("pipes lane", true, Over::Pipes(Lane)),
            way("pipes modern", true, Over::Pipes(Modern)),
            way("pipes 2024-11-05", false, Over::Pipes(Handshake("2024-11-05"))),
            way("pipes 2025-03-26", false, Over::Pipes(Handshake("2025-03-26"))),
            way("pipes 2025-06-18", false, Over::Pipes(Handshake("2025-06-18"))),
            way("pipes 2025-11-25", false, Over::Pipes(Handshake("2025-11-25"))),
            way("pipes 2025-11-25, then modern", true, Over::Pipes(Handshake("2025-11-25"))),
            way("lines", true, Over::Lines),
        ]
    }

    pub fn is_modern(self) -> bool {
        self.modern
    }

    pub fn is_http(self) -> bool {
        self.over == Over::Http
    }

    pub fn is_of_pipes(self) -> bool {
        matches!(self.over, Over::Pipes(_))
    }

    /// Sends the requests that go this way, one after the other.
    pub fn run(self, requests: &[Request]) -> Vec<Seen> {
        runtime().block_on(async {
            let bench = Bench::new().await;
            let mut seen = Vec::new();
            if self.over == Over::Lines {
                for (name, lines) in LINES {
                    let lines: Vec<_> =
                        lines.iter().map(|line| Request::new(*name, written(line)).body(true)).collect();
                    let [lane, plain] = bench.open.both();
                    let (lane, plain) = tokio::join!(
                        pipes::send(lane, Opening::None, &lines),
                        pipes::send(plain, Opening::None, &lines),
                    );
                    let request = (*name).to_owned();
                    seen.push(Seen { request, method: None, way: self.name, lane, plain });
                }
                return seen;
            }
            for request in self.taken(requests) {
                seen.push(self.send(&bench, request).await);
            }
            seen
        })
    }

    /// Returns the requests that go this way.
    fn taken(self, requests: &[Request]) -> impl Iterator<Item = &Request> {
        // A session is nothing for the lane, whatever its revision.
        let step = if matches!(self.over, Over::Session(_)) { 8 } else { 1 };
        requests.iter().filter(move |request| self.over == Over::Http || !request.http_only).step_by(step)
    }

    /// Sends a request to both servers.
    pub async fn send(self, bench: &Bench, request: &Request) -> Seen {
        let body = request.body(self.modern);
        let (lane, plain) = match self.over {
            Over::Http => {
                let [lane, plain] = bench.ports(request.server);
                tokio::join!(http::send(lane, request, &body), http::send(plain, request, &body))
            }
            Over::Session(revision) => {
                let [lane, plain] = bench.ports(Kind::Open);
                tokio::join!(
                    http::send_in_session(lane, revision, &body),
                    http::send_in_session(plain, revision, &body),
                )
            }
            Over::Pipes(opening) => {
                let ([lane, plain], lines) = (bench.open.both(), [body]);
                tokio::join!(pipes::send(lane, opening, &lines), pipes::send(plain, opening, &lines))
            }
            Over::Lines => unreachable!("lines are sent together"),
        };
        let method = request.headers.iter().find(|(name, _)| name == "mcp-method");
        Seen {
            request: request.name.clone(),
            method: method.map(|(_, method)| method.clone()),
            way: self.name,
            lane,
            plain,
        }
    }
}

impl Seen {
    pub fn differs(&self) -> bool {
        self.lane.normal() != self.plain.normal()
    }

    pub fn is_of_the_lane(&self) -> bool {
        self.lane.is_of_the_lane(&self.plain)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { way, request, lane, plain, .. } = self;
        write!(f, "{way}: {request}\n  lane: {}\n  rmcp: {}", lane.normal(), plain.normal())
    }
}

/// The servers of one way, at ports of their own.
pub struct Bench {
    open: Pair,
    /// Of each kind of server, in their order: with the lane, and without.
    ports: Vec<[u16; 2]>,
}

impl Bench {
    pub async fn new() -> Self {
        let mut ports = Vec::new();
        for kind in Kind::ALL {
            let Pair { lane, plain } = Pair::new(kind).await;
            ports.push([served(lane).await, served(plain).await]);
        }
        Self { open: Pair::new(Kind::Open).await, ports }
    }

    fn ports(&self, kind: Kind) -> [u16; 2] {
        self.ports[kind as usize]
    }
}

/// Serves at a free port until the runtime ends.
async fn served(server: Server) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { server.serve_listener(listener).await.unwrap() });
    port
}

/// One thread: what is spawned first also runs first.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
