//! The statements that a future runs, for tests.

use std::future::poll_fn;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use tracing_subscriber::layer::SubscriberExt as _;

use super::{Queries, Repeated, State, layer, state};
use crate::profile::frame::Frame;

/// How many statements are kept one by one.
const MOST_QUERIES: usize = 1_000;
/// How long statements may still end on a connection's own thread.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs a future and returns the statements that sqlx ran for it, of any of its databases.
///
/// Call the function that you test itself: what runs in a task of its own (`tokio::spawn`) is not
/// captured, and neither is what a component runs that is called through a server. Connections made
/// with `disable_statement_logging()` tell nothing. The end of a transaction counts in PostgreSQL
/// (`COMMIT`, `ROLLBACK`), its begin does not; in SQLite neither does.
///
/// # Panics
///
/// When the events of sqlx are not heard. Where no subscriber is set for the process, the first
/// capture sets one; where one is set, it must have [`layer()`](super::layer()).
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use mcp_core::profile::sql::capture;
///
/// let (sum, captured) = capture(async { 1 + 1 }).await;
/// captured.assert_at_most(3);
/// captured.assert_no_repeats();
/// # assert_eq!((sum, captured.count()), (2, 0));
/// # }
/// ```
pub async fn capture<F: Future>(future: F) -> (F::Output, Captured) {
    hear();
    let frame = Frame::new("capture", Queries::keeping(MOST_QUERIES));
    let span = {
        let _current = frame.enter();
        tracing::info_span!(target: "mcp_core::call", "call", component = "capture")
    };
    let mut future = Some(Box::pin(future));
    let output = poll_fn(|context| {
        let (_current, _span) = (frame.enter(), span.enter());
        let polled = match &mut future {
            Some(running) => running.as_mut().poll(context),
            None => std::task::Poll::Pending, // never: it is polled until it is ready
        };
        if polled.is_ready() {
            future = None; // within the span: streams that it holds end here
        }
        polled
    })
    .await;
    drop(span);
    ended(&frame).await;
    (output, Captured::of(frame.queries()))
}

/// Waits until nobody holds the span, and with it the frame: SQLite's thread may tell of a statement
/// that failed or was dropped only after its caller went on.
async fn ended(frame: &Arc<Frame>) {
    let began = Instant::now();
    while Arc::strong_count(frame) > 1 && began.elapsed() < PATIENCE {
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// Makes sure that statements are heard.
#[expect(clippy::panic, reason = "a test that captures nothing must not pass")]
fn hear() {
    static TRIED: Once = Once::new();
    if state() == State::On {
        return;
    }
    TRIED.call_once(|| {
        // An error means that there is one, which is looked at below.
        _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer()));
    });
    if let State::Off { note } | State::Blocked { note } = state() {
        panic!("statements cannot be captured: {note}");
    }
}

/// The statements that a future ran.
#[derive(Clone, Debug)]
pub struct Captured {
    /// The first thousand, as they began.
    pub queries: Vec<CapturedQuery>,
    count: u64,
    times: Vec<Repeated>,
}

/// A statement that a future ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedQuery {
    /// The text without literals.
    pub fingerprint: Arc<str>,
    /// How long it took, up to when its stream was dropped.
    pub took: Duration,
    /// How many rows it returned, or changed where it returned none.
    pub rows: u64,
}

impl Captured {
    fn of(queries: &Queries) -> Self {
        let first = queries.first().into_iter().map(|query| CapturedQuery {
            fingerprint: query.statement.fingerprint().clone(),
            took: query.took,
            rows: query.rows,
        });
        Self { queries: first.collect(), count: queries.count(), times: queries.repeated(1) }
    }

    /// Returns how many statements ran.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the statements that ran so often or more, with how often, the most frequent first.
    ///
    /// The first 64 different ones are counted.
    pub fn repeated(&self, times: u64) -> Vec<(Arc<str>, u64)> {
        let repeated = self.times.iter().filter(|one| one.times >= times);
        repeated.map(|one| (one.statement.fingerprint().clone(), one.times)).collect()
    }

    /// Checks that so many statements ran, or fewer.
    ///
    /// # Panics
    ///
    /// When there were more; the message lists them.
    #[track_caller]
    #[expect(clippy::panic, reason = "an assertion")]
    pub fn assert_at_most(&self, most: u64) {
        if self.count > most {
            panic!("{} statements ran, and at most {most} should:{}", self.count, list(&self.repeated(1)));
        }
    }

    /// Checks that no statement ran twice.
    ///
    /// Statements that differ in their literals or bound values only are the same one.
    ///
    /// # Panics
    ///
    /// When one did; the message lists those that did.
    #[track_caller]
    #[expect(clippy::panic, reason = "an assertion")]
    pub fn assert_no_repeats(&self) {
        let repeated = self.repeated(2);
        if !repeated.is_empty() {
            panic!("statements ran repeatedly; run one for all of their values:{}", list(&repeated));
        }
    }
}

fn list(statements: &[(Arc<str>, u64)]) -> String {
    statements.iter().map(|(fingerprint, times)| format!("\n{times:>6} x {fingerprint}")).collect()
}

/// Checks how many statements a future runs, and returns what it returns.
///
/// The conditions are `at most N`, `no repeats`, or both. The future runs as in
/// [`capture`](crate::profile::sql::capture()), which says what is not captured.
///
/// # Panics
///
/// When a condition does not hold, with the statements and how often each ran.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let sum = mcp_core::assert_queries!(at most 3, no repeats; async { 1 + 1 });
/// assert_eq!(sum, 2);
/// # }
/// ```
#[macro_export]
macro_rules! assert_queries {
    (at most $most:expr, no repeats; $future:expr $(,)?) => {{
        let (output, captured) = $crate::profile::sql::capture($future).await;
        captured.assert_at_most($most);
        captured.assert_no_repeats();
        output
    }};
    (at most $most:expr; $future:expr $(,)?) => {{
        let (output, captured) = $crate::profile::sql::capture($future).await;
        captured.assert_at_most($most);
        output
    }};
    (no repeats; $future:expr $(,)?) => {{
        let (output, captured) = $crate::profile::sql::capture($future).await;
        captured.assert_no_repeats();
        output
    }};
}
