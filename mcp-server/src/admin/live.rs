//! What the page is told while it is open: server-sent events.
//!
//! One report a second is made for all readers, and none where there are none. Each reader sees the newest
//! alone: one that is slow misses some, is then told the whole again, and nothing waits for it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use mcp_core::profile::{ComponentReport, Report, Window};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::started::Core;
use crate::transport::http::ResponseBody;

/// How many readers there may be.
const MOST: usize = 16;

/// How often they are told.
const PERIOD: Duration = Duration::from_secs(1);

/// After which silence a comment keeps the connection open.
const SILENCE: Duration = Duration::from_secs(15);

/// What a reader is told first: after how many milliseconds to come back when the connection breaks.
const RETRY: &str = "retry: 2000\n\n";

/// The readers of one listener.
pub(super) struct Live {
    core: Weak<Core>,
    stopping: CancellationToken,
    readers: Mutex<Readers>,
    latest: watch::Sender<Option<Arc<Snapshot>>>,
}

#[derive(Default)]
struct Readers {
    count: usize,
    /// Whether reports are being made for them.
    told: bool,
}

/// A report as it is told.
struct Snapshot {
    number: u64,
    report: Report,
    /// The event that holds all; made where somebody needs it.
    whole: OnceLock<Bytes>,
    /// The event that holds only components that are not what they were in the snapshot before.
    changed: Bytes,
}

impl Live {
    pub(super) fn new(core: Weak<Core>, stopping: CancellationToken) -> Arc<Self> {
        Arc::new(Self { core, stopping, readers: Mutex::default(), latest: watch::Sender::new(None) })
    }

    /// Returns the events for a reader more; `None` where there are too many.
    pub(super) fn read(self: &Arc<Self>) -> Option<Response<ResponseBody>> {
        let mut readers = self.readers();
        if readers.count >= MOST {
            return None;
        }
        readers.count += 1;
        let seat = Seat(Arc::clone(self));
        if !readers.told {
            readers.told = true;
            tokio::spawn(Arc::clone(self).tell());
        }
        let mut latest = self.latest.subscribe();
        drop(readers);
        latest.mark_changed();
        let reader =
            Reader { latest, seen: None, greeted: false, stopping: self.stopping.clone(), _seat: seat };
        Some(head(ResponseBody::stream(Events(Box::pin(reader.next())).boxed())))
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes reports until nobody reads them.
    async fn tell(self: Arc<Self>) {
        let mut every = tokio::time::interval(PERIOD);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last: Option<Arc<Snapshot>> = None;
        loop {
            if self.stopping.run_until_cancelled(every.tick()).await.is_none() || self.has_nobody() {
                return;
            }
            let Some(core) = self.core.upgrade() else { return };
            let before = last.clone();
            let made =
                tokio::task::spawn_blocking(move || Snapshot::new(core.report(), before.as_deref())).await;
            // The next one may be made.
            let Ok(made) = made else { continue };
            last = Some(Arc::new(made));
            self.latest.send_replace(last.clone());
        }
    }

    /// Returns whether nobody reads; then what was told last is forgotten.
    fn has_nobody(&self) -> bool {
        let mut readers = self.readers();
        let nobody = readers.count == 0;
        if nobody {
            readers.told = false;
            self.latest.send_replace(None);
        }
        nobody
    }
}

impl Snapshot {
    fn new(report: Report, before: Option<&Self>) -> Self {
        let known = before.map_or(&[][..], |before| &before.report.components);
        let is_known = |component: &ComponentReport| known.iter().any(|other| is_the_same(other, component));
        let mut changed = report.clone();
        changed.components.retain(|component| !is_known(component));
        let number = before.map_or(0, |before| before.number + 1);
        Self { number, report, whole: OnceLock::new(), changed: event(&changed) }
    }

    /// Returns what a reader is told that has seen a certain snapshot last.
    fn since(&self, seen: Option<u64>) -> Bytes {
        if seen.is_some_and(|seen| seen + 1 == self.number) {
            return self.changed.clone();
        }
        self.whole.get_or_init(|| event(&self.report)).clone()
    }
}

/// Returns whether two reports say the same of a component, except for how long it was looked at.
fn is_the_same(one: &ComponentReport, other: &ComponentReport) -> bool {
    let same = |one: &Window, other: &Window| *one == Window { seconds: one.seconds, ..other.clone() };
    one.name == other.name
        && one.kind == other.kind
        && (one.active, one.slow_ns, &one.spark) == (other.active, other.slow_ns, &other.spark)
        && one.windows.len() == other.windows.len()
        && one.windows.iter().all(|(span, one)| other.windows.get(span).is_some_and(|other| same(one, other)))
}

fn event(report: &Report) -> Bytes {
    let mut event = b"event: report\ndata: ".to_vec();
    // Maps with keys of text, and numbers: there is nothing to fail, and no new line in it.
    let _ = serde_json::to_writer(&mut event, report);
    event.extend_from_slice(b"\n\n");
    event.into()
}

/// Returns the answer that events come in.
pub(super) fn head(body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

/// A place among the readers, until its answer is dropped.
struct Seat(Arc<Live>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.readers().count -= 1;
    }
}

struct Reader {
    latest: watch::Receiver<Option<Arc<Snapshot>>>,
    /// The snapshot that it was told last.
    seen: Option<u64>,
    greeted: bool,
    stopping: CancellationToken,
    _seat: Seat,
}

impl Reader {
    /// Waits for what is to be told next; `None`: the server stops.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if !self.greeted {
            self.greeted = true;
            return Some((Bytes::from_static(RETRY.as_bytes()), self));
        }
        loop {
            let changed = tokio::time::timeout(SILENCE, self.latest.changed());
            match self.stopping.run_until_cancelled(changed).await? {
                Ok(Ok(())) => {
                    let Some(snapshot) = self.latest.borrow_and_update().clone() else { continue };
                    let told = snapshot.since(self.seen);
                    self.seen = Some(snapshot.number);
                    return Some((told, self));
                }
                Ok(Err(_)) => return None,
                Err(_) => return Some((Bytes::from_static(b": still here\n\n"), self)),
            }
        }
    }
}

/// Waits for what is told next, and who is told.
type Next = dyn Future<Output = Option<(Bytes, Reader)>> + Send + Sync;

/// The body of a reader's answer.
struct Events(Pin<Box<Next>>);

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some((told, reader)) = ready!(self.0.as_mut().poll(cx)) else {
            self.0 = Box::pin(std::future::pending());
            return Poll::Ready(None);
        };
        self.0 = Box::pin(reader.next());
        Poll::Ready(Some(Ok(Frame::data(told))))
    }
}

#[cfg(test)]
mod tests {
    use mcp_core::Config;

    use super::*;
    use crate::server::Server;

    async fn frame(body: &mut ResponseBody) -> Option<String> {
        let data = body.frame().await?.unwrap().into_data().unwrap();
        Some(String::from_utf8(data.to_vec()).unwrap())
    }

    fn live(server: &Server) -> Arc<Live> {
        let core = server.core().unwrap();
        Live::new(Arc::downgrade(core), core.stopping.clone())
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_is_slow_is_told_the_newest_and_nothing_waits_for_it() {
        let server = Server::builder().config(Config::default());
        let live = live(&server);
        let mut slow = live.read().unwrap().into_body();
        assert_eq!(frame(&mut slow).await.unwrap(), RETRY);
        assert!(frame(&mut slow).await.unwrap().starts_with("event: report\ndata: {"));

        let mut quick = live.read().unwrap().into_body();
        frame(&mut quick).await;
        for _ in 0..100 {
            frame(&mut quick).await;
        }
        let latest = live.latest.borrow().clone().unwrap();
        assert!(latest.number >= 99, "{}", latest.number);
        // All that it missed is one event, the same bytes for all who missed something.
        assert_eq!(frame(&mut slow).await.unwrap().as_bytes(), latest.since(None));
        let more = tokio::time::timeout(PERIOD / 2, frame(&mut slow)).await;
        assert!(more.is_err(), "and no more than that: {more:?}");
        assert_eq!(Arc::strong_count(&latest), 3, "here, with the sender, and with the maker of the next");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silence_is_broken_by_a_comment() {
        let server = Server::builder().config(Config::default());
        let live = live(&server);
        live.readers().told = true;
        let mut reader = live.read().unwrap().into_body();
        frame(&mut reader).await;
        // What was there when it came: nothing.
        let start = tokio::time::Instant::now();
        assert_eq!(frame(&mut reader).await.unwrap(), ": still here\n\n");
        assert_eq!(start.elapsed().as_secs(), SILENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn reports_end_with_the_last_reader() {
        let server = Server::builder().config(Config::default());
        let live = live(&server);
        let readers: Vec<_> = std::iter::from_fn(|| live.read()).collect();
        assert_eq!(readers.len(), MOST);
        tokio::time::sleep(PERIOD).await;
        assert!(live.latest.borrow().is_some());
        drop(readers);
        tokio::time::sleep(PERIOD * 3).await;
        assert!(live.latest.borrow().is_none() && !live.readers().told);
        assert!(live.read().is_some());
    }

    #[test]
    fn a_component_is_the_same_whatever_time_has_passed() {
        let component = ComponentReport {
            kind: "tool".to_owned(),
            name: "add".to_owned(),
            place: "src/main.rs:1".to_owned(),
            active: 0,
            slow_ns: 1,
            windows: [("start".to_owned(), Window { seconds: 1.0, calls: 1, ..Window::default() })].into(),
            spark: vec![0, 1],
        };
        let with = |change: fn(&mut ComponentReport)| {
            let mut other = component.clone();
            change(&mut other);
            is_the_same(&component, &other)
        };
        assert!(with(|other| other.windows.get_mut("start").unwrap().seconds = 2.0));
        assert!(!with(|other| other.windows.get_mut("start").unwrap().calls = 2));
        assert!(!with(|other| other.active = 1));
        assert!(!with(|other| other.spark = vec![1, 0]));
        assert!(!with(|other| other.name = "sub".to_owned()));
    }
}
