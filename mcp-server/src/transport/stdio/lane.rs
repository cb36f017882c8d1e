//! Which lines the direct lane answers, and where.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::{Buf as _, BytesMut};
use mcp_core::Identity;
use mcp_core::registry::Entry;
use serde::Deserialize;
use tokio::task::AbortHandle;

use super::pipes::{Inlet, Output};
use crate::operation::{Arrival, Asked, Ending, Network};
use crate::protocol::lane::{ByName, Envelope, Settled, Taken, Written};
use crate::started::Core;

/// How much may wait for rmcp to read it, before nothing more is read.
const MOST_PASSED: usize = 4 << 20;

/// How many calls of one client may be under way in tasks of their own, before its next line waits.
const MOST_CALLS: usize = 256;

/// The lane of one connection.
pub(super) struct Lane {
    core: Arc<Core>,
    settled: Arc<Settled>,
    inlet: Inlet,
    output: Arc<Output>,
    calls: Arc<Calls>,
    /// How much of the unread bytes is known to hold no end of a line.
    searched: usize,
    /// Whether the rest of a line goes to rmcp, which refuses it for its length.
    passing: bool,
    /// Whether the lane has answered something, and whether rmcp has been asked something.
    answered: bool,
    asked: bool,
}

/// Calls whose answer takes longer than the look at their line.
#[derive(Default)]
struct Calls {
    running: AtomicUsize,
    /// Each with what ends its task, once that is known.
    by_id: Mutex<HashMap<Box<str>, Option<AbortHandle>>>,
}

/// The call of one line.
type Call = Pin<Box<dyn Future<Output = Written> + Send>>;

/// What is looked at in a line that the lane does not take.
#[derive(Default, Deserialize)]
struct Passed<'a> {
    #[serde(borrow, default)]
    method: Option<&'a str>,
}

/// What rmcp is told where the lane has answered the requests before: it is in the era of the client then.
const OPENING: &str = concat!(
    r#"{"jsonrpc":"2.0","id":"opening of the lane","method":"lane/opening","params":{"_meta":{"#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    "\n",
);

/// How the answer to that begins, which is not for the client.
const OPENING_ID: &str = r#"{"jsonrpc":"2.0","id":"opening of the lane","#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancelled<'a> {
    jsonrpc: &'a str,
    #[serde(rename = "method")]
    _method: &'a str,
    params: ByName<Which>,
}

#[derive(Deserialize)]
struct Which {
    #[serde(rename = "requestId")]
    request_id: serde_json::Value,
    #[serde(default, rename = "reason")]
    _reason: Option<String>,
}

impl Which {
    /// Returns the id as the lane takes it.
    fn id(&self) -> Option<String> {
        match &self.request_id {
            serde_json::Value::String(text) => Some(format!("\"{text}\"")),
            serde_json::Value::Number(number) => {
                let whole = |float: &f64| float.fract() == 0.0 && float.abs() < 9e15;
                number
                    .as_i64()
                    .or_else(|| number.as_f64().filter(whole).map(|float| float as i64))
                    .map(|id| id.to_string())
            }
            _ => None,
        }
    }
}

impl Lane {
    pub(super) fn new(core: Arc<Core>, settled: Arc<Settled>, inlet: Inlet, output: Arc<Output>) -> Self {
        Self {
            core,
            settled,
            inlet,
            output,
            calls: Arc::default(),
            searched: 0,
            passing: false,
            answered: false,
            asked: false,
        }
    }

    /// Takes the whole lines out of what was read, as long as the client takes the answers; a longer one
    /// than `limit` is rmcp's to refuse. Returns whether there may be more of them.
    pub(super) fn take(&mut self, unread: &mut BytesMut, limit: usize) -> bool {
        while let Some(end) = memchr::memchr(b'\n', unread.get(self.searched..).unwrap_or_default()) {
            if !self.output.has_room() || self.calls.running.load(Ordering::Acquire) >= MOST_CALLS {
                return true;
            }
            let end = self.searched + end + 1;
            self.searched = 0;
            let line = unread.get(..end).unwrap_or_default();
            if std::mem::take(&mut self.passing) || end > limit {
                self.inlet.push(line);
            } else {
                self.line(line);
            }
            unread.advance(end);
        }
        self.searched = unread.len();
        if self.passing || unread.len() > limit {
            self.passing = true;
            self.inlet.push(unread);
            unread.clear();
            self.searched = 0;
        }
        false
    }

    fn line(&mut self, line: &[u8]) {
        match self.taken(line) {
            Some(taken) => {
                self.answered = true;
                self.answer(taken);
            }
            None => self.pass(line),
        }
    }

    fn taken(&self, line: &[u8]) -> Option<Taken> {
        if !self.core.direct {
            return None;
        }
        let arrival = Arrival::now(Network::Pipe);
        let envelope = Envelope::read(std::str::from_utf8(line).ok()?)?;
        let era = envelope.era(self.settled.revision())?;
        Taken::new(&self.core, &arrival, &envelope, era)
    }

    /// Answers at once what takes no time, and the rest in a task of its own.
    fn answer(&self, taken: Taken) {
        let id: Box<str> = taken.id().into();
        let entry = taken.entry().cloned();
        let core = Arc::clone(&self.core);
        let mut call: Call = Box::pin(async move { taken.answer(&core, Identity::anonymous()).await });
        let begun = entry.as_ref().is_none_or(|entry| entry.pace.is_quick());
        if begun {
            // Polled once more by its task, where it goes on: a waker that does nothing will do.
            let polled = timed(entry.as_deref(), call.as_mut(), &mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(written) = polled {
                return self.output.push(written);
            }
        }
        let running = Running::new(Arc::clone(&self.calls), id.clone(), Arc::clone(&self.output));
        // A task may end before its spawning does, and a runtime that shuts down drops it in there: it is known
        // before, and nothing is locked meanwhile.
        self.calls.all().insert(id.clone(), None);
        let task = tokio::spawn(async move {
            if !begun {
                // Many were taken while there was room, and the result of each may be large.
                running.output.room().await;
            }
            let first = poll_fn(|cx| Poll::Ready(timed(entry.as_deref(), call.as_mut(), cx))).await;
            let written = match first {
                Poll::Ready(written) => written,
                Poll::Pending => call.await,
            };
            running.output.push(written);
            drop(running);
        });
        if let Some(known) = self.calls.all().get_mut(&id) {
            *known = Some(task.abort_handle());
        }
    }

    /// Passes a line on to rmcp, unless it is about a call of the lane.
    fn pass(&mut self, line: &[u8]) {
        let ByName(passed): ByName<Passed<'_>> = serde_json::from_slice(line).unwrap_or_default();
        let method = passed.method.unwrap_or_default();
        match method {
            "notifications/cancelled" if self.calls.cancel(line) => {
                let operations = &self.core.operations;
                let asked = Asked::new(method, self.settled.revision());
                let begun = operations.begin(&Arrival::now(Network::Pipe), &asked);
                return operations.operation(begun).finish(&Ending::OK.into());
            }
            "initialize" => self.settled.reset(),
            _ => {}
        }
        if self.answered && !self.asked && method != "initialize" {
            // rmcp takes its first message for the opening, and to it this client has not spoken yet.
            self.output.expect(OPENING_ID);
            self.inlet.push(OPENING.as_bytes());
        }
        self.asked = true;
        self.inlet.push(line);
    }

    /// Ends what is passed on: the client has closed its end.
    pub(super) fn close(&self) {
        self.inlet.close();
    }

    /// Cancels what is still under way.
    pub(super) fn end(&self) {
        self.close();
        self.calls.all().values().flatten().for_each(AbortHandle::abort);
    }

    /// Returns whether no call of the lane is under way.
    pub(super) fn is_done(&self) -> bool {
        self.calls.running.load(Ordering::Acquire) == 0
    }

    /// Returns whether rmcp keeps up with what is passed on.
    pub(super) fn has_room(&self) -> bool {
        self.inlet.waiting() < MOST_PASSED
    }

    /// Waits until rmcp has read some of it.
    pub(super) async fn consumed(&self) {
        self.inlet.consumed().await;
    }
}

/// Polls a call for the first time, and notes how long that took its component.
fn timed(
    entry: Option<&Entry>,
    call: Pin<&mut (dyn Future<Output = Written> + Send)>,
    cx: &mut Context<'_>,
) -> Poll<Written> {
    let begun = Instant::now();
    let polled = call.poll(cx);
    if let Some(entry) = entry {
        entry.pace.note(begun.elapsed());
    }
    polled
}

impl Calls {
    /// Cancels the call that a notification is about; `false` where the lane has none of that id.
    fn cancel(&self, line: &[u8]) -> bool {
        let Ok(ByName(Cancelled { jsonrpc: "2.0", params, .. })) = serde_json::from_slice(line) else {
            return false;
        };
        let Some(id) = params.id() else { return false };
        let found = self.all().remove(&*id).flatten();
        found.inspect(AbortHandle::abort).is_some()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Box<str>, Option<AbortHandle>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call under way, until its answer is handed over, however it ends.
struct Running {
    calls: Arc<Calls>,
    id: Box<str>,
    output: Arc<Output>,
}

impl Running {
    fn new(calls: Arc<Calls>, id: Box<str>, output: Arc<Output>) -> Self {
        calls.running.fetch_add(1, Ordering::AcqRel);
        Self { calls, id, output }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.calls.all().remove(&self.id);
        self.calls.running.fetch_sub(1, Ordering::AcqRel);
        self.output.nudge();
    }
}
