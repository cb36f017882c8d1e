//! What a call has done by other tasks and threads, beside its own polls.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::frame::Frame;
use super::poll::{Work, within};

/// Makes a future a part of the call that runs, for a task of its own.
///
/// What a call spawns is not counted as its own else. With this, the busy time, the processor time and the allocations of
/// the task, its checkpoints and its SQL statements are the call's, up to the end of the call; what comes later is
/// nobody's. A call that has tasks run beside it may be busy for longer than it takes. Outside of a call it is the
/// future and nothing more.
///
/// # Examples
///
/// ```
/// use mcp_core::profile::in_call;
///
/// # async fn both() -> Result<(), tokio::task::JoinError> {
/// let page = tokio::spawn(in_call(async { "page" }));
/// let users = tokio::spawn(in_call(async { "users" }));
/// let both = (page.await?, users.await?);
/// # Ok(())
/// # }
/// ```
pub fn in_call<F: Future>(future: F) -> impl Future<Output = F::Output> {
    Beside { future: Box::pin(future), frame: Frame::current(), span: None }
}

/// Makes a function a part of the call that runs, for another thread: see [`in_call`].
///
/// # Examples
///
/// ```
/// use mcp_core::profile::in_call_blocking;
///
/// # async fn sum() -> Result<u64, tokio::task::JoinError> {
/// tokio::task::spawn_blocking(in_call_blocking(|| (0..1_000_000_u64).sum())).await
/// # }
/// ```
pub fn in_call_blocking<T>(run: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let frame = Frame::current();
    move || within(frame.filter(|frame| !frame.has_ended()), Work::Thread, run)
}

/// A future in a task of its own.
struct Beside<F> {
    future: Pin<Box<F>>,
    frame: Option<Arc<Frame>>,
    span: Option<tracing::Span>,
}

impl<F: Future> Future for Beside<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        // A run that has ended is written already: what comes now is not of it.
        drop(this.frame.take_if(|frame| frame.has_ended()));
        // Where the call polls it itself, it is counted with the poll of the call.
        let counted = |frame: &Arc<Frame>| Frame::with_current(|current| Arc::ptr_eq(current, frame));
        let frame = this.frame.clone().filter(|frame| counted(frame) != Some(true));
        let Some(frame) = frame else { return this.future.as_mut().poll(cx) };
        if this.span.is_none() {
            this.span = frame.span();
        }
        let _span = this.span.as_ref().map(tracing::Span::enter);
        within(Some(frame), Work::Task, || this.future.as_mut().poll(cx))
    }
}
