//! What a connection is doing, so that one task can end those that do nothing.
//!
//! A timer for each request would cost more than the request's own bookkeeping: a connection only
//! notes moments of a coarse clock, and once in a while all are looked at.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// How often connections are looked at: the grain of their deadlines.
const GRAIN: Duration = Duration::from_millis(250);

/// How long the headers of a request may take to come.
const HEADERS: Duration = Duration::from_secs(30);

/// How long a write may wait for a client that takes nothing.
const WRITE: Duration = Duration::from_secs(30);

/// How long a connection has to end by itself once it is told to.
const LEAVE: Duration = Duration::from_secs(2);

/// From how many connections on those that wait give back their buffers, 12 KiB each: making a connection
/// anew costs a tenth of a request.
const CROWD: usize = 512;

/// Up to this many bytes what is to be written is gathered first.
const SMALL: usize = 8 << 10;

thread_local! {
    /// Where it is gathered: once for each thread, not for each connection.
    static GATHERED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// All connections of a listener.
pub(super) struct Watch {
    now: AtomicU32,
    deadlines: Deadlines,
    connections: Mutex<Vec<Arc<Pulse>>>,
    /// How many connections of the server are open.
    pub(super) open: Arc<AtomicUsize>,
}

/// How long a connection may take for what, to the next [`GRAIN`].
#[derive(Clone, Copy)]
pub(super) struct Deadlines {
    /// To bring its next request.
    pub(super) idle: Duration,
    /// To bring the headers of a request.
    pub(super) headers: Duration,
    /// To take something of what is to be written.
    pub(super) write: Duration,
    /// To end by itself once it is told to.
    pub(super) leave: Duration,
}

/// What one connection is doing. Moments are counted in [`GRAIN`]s, from 1; 0 means: it is not.
pub(super) struct Pulse {
    watch: Arc<Watch>,
    /// Since when it waits for a request.
    waits: AtomicU32,
    /// Since when a request's headers are coming.
    begun: AtomicU32,
    /// Since when the client takes nothing of what is to be written.
    stuck: AtomicU32,
    /// Since when it has been told to end.
    leaving: AtomicU32,
    /// How many requests are under way.
    active: AtomicU32,
    /// How many there have been.
    pub(super) served: AtomicU32,
    told: Notify,
}

/// What a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// To end when what is under way is answered.
    Leave,
    /// To end now: the headers did not come.
    Unheard,
    /// To end now.
    Cut,
}

/// A request that is under way, until its answer is written or given up.
pub(super) struct Active(Arc<Pulse>);

impl Deadlines {
    pub(super) fn new(idle: Duration) -> Self {
        Self { idle, headers: HEADERS, write: WRITE, leave: LEAVE }
    }
}

impl Watch {
    /// `open` is where connections are counted, those of the server's other listeners too.
    pub(super) fn new(deadlines: Deadlines, open: Arc<AtomicUsize>) -> Arc<Self> {
        Arc::new(Self { now: AtomicU32::new(1), deadlines, connections: Mutex::default(), open })
    }

    /// Begins to watch a connection.
    pub(super) fn enter(self: &Arc<Self>) -> Arc<Pulse> {
        let now = self.now.load(Relaxed);
        let pulse = Arc::new(Pulse {
            watch: Arc::clone(self),
            waits: AtomicU32::new(now),
            begun: AtomicU32::new(0),
            stuck: AtomicU32::new(0),
            leaving: AtomicU32::new(0),
            active: AtomicU32::new(0),
            served: AtomicU32::new(0),
            told: Notify::new(),
        });
        self.open.fetch_add(1, Relaxed);
        self.all().push(Arc::clone(&pulse));
        pulse
    }

    /// Looks at all connections again and again.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(GRAIN);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = self.now.fetch_add(1, Relaxed) + 1;
            self.all().retain(|pulse| {
                if pulse.verdict(now).is_some() {
                    pulse.told.notify_one();
                }
                // The other handle is the connection's own.
                Arc::strong_count(pulse) > 1
            });
        }
    }

    /// Tells all connections to end.
    pub(super) fn leave(&self) {
        let now = self.now.load(Relaxed);
        for pulse in self.all().iter() {
            pulse.leave(now);
        }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Pulse>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulse {
    /// Begins a request.
    pub(super) fn begin(self: &Arc<Self>) -> Active {
        self.active.fetch_add(1, Relaxed);
        self.served.fetch_add(1, Relaxed);
        self.begun.store(0, Relaxed);
        Active(Arc::clone(self))
    }

    /// Waits until the connection is to end.
    pub(super) async fn told(&self) -> Verdict {
        loop {
            self.told.notified().await;
            if let Some(verdict) = self.verdict(self.watch.now.load(Relaxed)) {
                return verdict;
            }
        }
    }

    /// Returns whether the connection waits for its next request with all else done, among many.
    ///
    /// Only right after it was polled: then what it has not written is noted here.
    pub(super) fn may_park(&self) -> bool {
        let nothing = |moment: &AtomicU32| moment.load(Relaxed) == 0;
        self.watch.open.load(Relaxed) > CROWD
            && self.served.load(Relaxed) > 0
            && nothing(&self.active)
            && nothing(&self.begun)
            && nothing(&self.stuck)
            && nothing(&self.leaving)
    }

    /// Tells the connection to end when what is under way is answered.
    pub(super) fn leave(&self, now: u32) {
        let _ = self.leaving.compare_exchange(0, now, Relaxed, Relaxed);
        self.told.notify_one();
    }

    fn verdict(&self, now: u32) -> Option<Verdict> {
        let since = |moment: &AtomicU32| match moment.load(Relaxed) {
            0 => None,
            then => Some(now.saturating_sub(then)),
        };
        let idle = self.active.load(Relaxed) == 0;
        let Deadlines { idle: wait, headers, write, leave } = self.watch.deadlines;
        if since(&self.stuck).is_some_and(|stuck| stuck > grains(write)) {
            return Some(Verdict::Cut);
        }
        if let Some(leaving) = since(&self.leaving) {
            return Some(if idle && leaving > grains(leave) { Verdict::Cut } else { Verdict::Leave });
        }
        match since(&self.begun) {
            Some(begun) if idle && begun > grains(headers) => Some(Verdict::Unheard),
            None if idle && since(&self.waits).is_some_and(|waits| waits > grains(wait)) => {
                Some(Verdict::Leave)
            }
            _ => None,
        }
    }

    fn now(&self) -> u32 {
        self.watch.now.load(Relaxed)
    }
}

impl Active {
    /// Tells the connection to end when what is under way is answered.
    pub(super) fn leave(&self) {
        self.0.leave(self.0.now());
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.waits.store(self.0.now(), Relaxed);
        self.0.active.fetch_sub(1, Relaxed);
    }
}

/// A connection that notes what it is doing.
pub(super) struct Watched {
    stream: TcpStream,
    pulse: Arc<Pulse>,
    /// What was read before, and is to be read again.
    unread: Bytes,
    /// Whether what comes between requests is the head of the next one: HTTP/2 has other frames too.
    heads_only: bool,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, pulse: Arc<Pulse>) -> Self {
        Self { stream, pulse, unread: Bytes::new(), heads_only: true }
    }

    /// Waits for the first bytes, and returns whether they are those of HTTP/2.
    pub(super) async fn speaks_http2(&self) -> io::Result<bool> {
        // The preface is `PRI * HTTP/2.0` (RFC 9113, section 3.4); HTTP/1 has no such method.
        let mut first = [0; 4];
        let length = self.stream.peek(&mut first).await?;
        Ok(first.get(..length) == Some(b"PRI "))
    }

    /// Takes nothing that comes for the head of a request; a request that does not come ends by its wait.
    pub(super) fn has_frames(&mut self) {
        self.heads_only = false;
    }

    /// Puts back what was read and not used.
    pub(super) fn put_back(&mut self, unread: Bytes) {
        self.unread = unread;
    }

    /// Waits until there is more to read.
    pub(super) async fn more(&self) -> io::Result<()> {
        if self.unread.is_empty() { self.stream.readable().await } else { Ok(()) }
    }

    fn written(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let stuck = self.pulse.stuck.load(Relaxed);
        if result.is_pending() {
            if stuck == 0 {
                self.pulse.stuck.store(self.pulse.now(), Relaxed);
            }
        } else if stuck != 0 {
            self.pulse.stuck.store(0, Relaxed);
        }
        result
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let pulse = &self.pulse;
        // The headers never came: the client is told why its connection ends.
        if pulse.verdict(pulse.now()) == Some(Verdict::Unheard) {
            let _ = self.stream.try_write(
                b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
                  content-length: 41\r\n\r\nthe headers of the request took too long\n",
            );
        }
        pulse.watch.open.fetch_sub(1, Relaxed);
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = if self.unread.is_empty() {
            Pin::new(&mut self.stream).poll_read(cx, buffer)
        } else {
            let length = buffer.remaining().min(self.unread.len());
            buffer.put_slice(&self.unread.split_to(length));
            Poll::Ready(Ok(()))
        };
        let pulse = &self.pulse;
        let has_come = self.heads_only && buffer.filled().len() > before;
        if has_come && pulse.begun.load(Relaxed) == 0 && pulse.active.load(Relaxed) == 0 {
            pulse.begun.store(pulse.now(), Relaxed);
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buffer);
        self.written(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = buffers.iter().map(|buffer| buffer.len()).sum::<usize>();
        let stream = Pin::new(&mut self.stream);
        let result = if length > SMALL {
            stream.poll_write_vectored(cx, buffers)
        } else {
            // The kernel takes one buffer for less than several, by more than a small copy costs.
            GATHERED.with_borrow_mut(|gathered| {
                gathered.clear();
                buffers.iter().for_each(|buffer| gathered.extend_from_slice(buffer));
                stream.poll_write(cx, gathered)
            })
        };
        self.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn grains(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis() / GRAIN.as_millis()).unwrap_or(u32::MAX)
}
