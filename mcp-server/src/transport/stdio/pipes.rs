//! What lies between the pipes of the process and those who share them.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use crate::protocol::lane::Written;

/// From this size on a payload is handed on as it is, and not copied into line with others.
const LARGE: usize = 16 << 10;

/// Whole lines that wait to be written: both lanes put theirs here, and none is ever cut by another.
pub(super) struct Output {
    state: Mutex<Pending>,
    changed: Notify,
    /// Wakes the calls that wait for room.
    emptied: Notify,
    /// From how many bytes on rmcp is to wait, and calls are not to begin.
    most: usize,
}

#[derive(Default)]
struct Pending {
    segments: VecDeque<Bytes>,
    last: Vec<u8>,
    /// How many bytes are not written yet.
    waiting: usize,
    /// Whom to wake when there is room again.
    full: Option<Waker>,
    /// How the one line of rmcp begins that is not for the client.
    withheld: Option<&'static str>,
    /// Whether rmcp writes no more.
    closed: bool,
    /// Whether nobody reads any more.
    discarding: bool,
}

impl Output {
    pub(super) fn new(most: usize) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), emptied: Notify::new(), most }
    }

    /// Adds an answer; whoever writes is to look again.
    pub(super) fn push(&self, written: Written) {
        locked(&self.state).push(written);
    }

    /// Withholds the next line of rmcp that begins in a certain way.
    pub(super) fn expect(&self, beginning: &'static str) {
        locked(&self.state).withheld = Some(beginning);
    }

    /// Wakes whoever writes.
    pub(super) fn nudge(&self) {
        self.changed.notify_one();
    }

    /// Waits until there may be more to write, or nothing more to wait for.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Returns whether the client keeps up with what is to be written.
    pub(super) fn has_room(&self) -> bool {
        locked(&self.state).waiting < self.most
    }

    /// Waits until the client keeps up, or nobody reads any more.
    pub(super) async fn room(&self) {
        loop {
            // Made before the look: it is woken by whatever makes room from here on.
            let emptied = self.emptied.notified();
            if self.has_room() {
                return;
            }
            emptied.await;
        }
    }

    /// Returns whether rmcp writes no more.
    pub(super) fn is_closed(&self) -> bool {
        locked(&self.state).closed
    }

    /// Forgets what waits and what is to come.
    pub(super) fn discard(&self) {
        let mut state = locked(&self.state);
        state.discarding = true;
        state.segments.clear();
        state.last.clear();
        state.waiting = 0;
        self.wake(state);
    }

    /// Wakes whoever waits for room.
    fn wake(&self, mut state: MutexGuard<'_, Pending>) {
        let full = state.full.take();
        drop(state);
        if let Some(waker) = full {
            waker.wake();
        }
        self.emptied.notify_waiters();
    }
}

impl Pending {
    /// Takes the line out that is not for the client, if it has come.
    fn withhold(&mut self, lines: &mut Vec<u8>) {
        let Some(beginning) = self.withheld else { return };
        let mut start = 0;
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let end = start + line.len();
            if line.starts_with(beginning.as_bytes()) {
                lines.drain(start..end);
                self.withheld = None;
                return;
            }
            start = end;
        }
    }

    fn push(&mut self, written: Written) {
        if self.discarding {
            return;
        }
        self.waiting += written.len() + 1;
        let Written { head, payload, tail, .. } = written;
        self.last.extend_from_slice(&head);
        if payload.len() < LARGE {
            self.last.extend_from_slice(&payload);
        } else {
            let before = std::mem::take(&mut self.last);
            self.segments.extend([Bytes::from(before), payload]);
        }
        self.last.extend_from_slice(&tail);
        self.last.push(b'\n');
    }
}

/// What is being written.
#[derive(Default)]
pub(super) struct Writing(VecDeque<Bytes>);

impl Writing {
    /// Takes what waits, once everything before it is written.
    pub(super) fn fill(&mut self, output: &Output) {
        if self.0.is_empty() {
            let mut state = locked(&output.state);
            std::mem::swap(&mut self.0, &mut state.segments);
            if !state.last.is_empty() {
                self.0.push_back(std::mem::take(&mut state.last).into());
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn chunk(&self) -> &[u8] {
        self.0.front().map_or(&[], |segment| segment)
    }

    pub(super) fn written(&mut self, length: usize, output: &Output) {
        if let Some(segment) = self.0.front_mut() {
            segment.advance(length);
            if segment.is_empty() {
                self.0.pop_front();
            }
        }
        let mut state = locked(&output.state);
        let was_full = state.waiting >= output.most;
        state.waiting = state.waiting.saturating_sub(length);
        if was_full && state.waiting < output.most {
            output.wake(state);
        }
    }
}

/// rmcp's way out: collects its bytes until a line is whole.
pub(super) struct Outlet {
    output: Arc<Output>,
    begun: Vec<u8>,
}

impl Outlet {
    pub(super) fn new(output: Arc<Output>) -> Self {
        Self { output, begun: Vec::new() }
    }
}

impl AsyncWrite for Outlet {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let output = Arc::clone(&self.output);
        let mut state = locked(&output.state);
        if state.waiting >= output.most && !state.discarding {
            state.full = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.begun.extend_from_slice(bytes);
        if let Some(end) = memchr::memrchr(b'\n', bytes) {
            let whole = self.begun.len() - (bytes.len() - end - 1);
            let rest = self.begun.split_off(whole);
            let mut lines = std::mem::replace(&mut self.begun, rest);
            state.withhold(&mut lines);
            if !state.discarding {
                state.waiting += lines.len();
                state.last.extend_from_slice(&lines);
            }
            drop(state);
            output.nudge();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        locked(&self.output.state).closed = true;
        self.output.nudge();
    }
}

/// The way of what the lane leaves, as it came.
pub(super) struct Inlet(Arc<Passing>);

/// rmcp's way in.
pub(super) struct Lines(Arc<Passing>);

#[derive(Default)]
struct Passing {
    state: Mutex<Passed>,
    consumed: Notify,
}

#[derive(Default)]
struct Passed {
    bytes: BytesMut,
    closed: bool,
    reader: Option<Waker>,
}

impl Inlet {
    pub(super) fn new() -> (Self, Lines) {
        let passing = Arc::new(Passing::default());
        (Self(Arc::clone(&passing)), Lines(passing))
    }

    /// Passes bytes on.
    pub(super) fn push(&self, bytes: &[u8]) {
        self.change(|state| state.bytes.extend_from_slice(bytes));
    }

    /// Ends what is passed on.
    pub(super) fn close(&self) {
        self.change(|state| state.closed = true);
    }

    /// Returns how many bytes rmcp has not read yet.
    pub(super) fn waiting(&self) -> usize {
        locked(&self.0.state).bytes.len()
    }

    /// Waits until rmcp has read some.
    pub(super) async fn consumed(&self) {
        self.0.consumed.notified().await;
    }

    fn change(&self, change: impl FnOnce(&mut Passed)) {
        let mut state = locked(&self.0.state);
        change(&mut state);
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl AsyncRead for Lines {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = locked(&self.0.state);
        if state.bytes.is_empty() {
            if state.closed {
                return Poll::Ready(Ok(()));
            }
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let length = buffer.remaining().min(state.bytes.len());
        buffer.put_slice(&state.bytes.split_to(length));
        drop(state);
        self.0.consumed.notify_one();
        Poll::Ready(Ok(()))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
