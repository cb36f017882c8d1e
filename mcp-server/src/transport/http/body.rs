//! Bodies: a request's, read within bounds, and an answer's, in the pieces that it was written in.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;

use super::watch::Active;

/// How long a request's body may take to come.
const DEADLINE: Duration = Duration::from_secs(60);

/// The body of an answer.
pub struct ResponseBody {
    content: Content,
    /// Tells the connection when the answer is written.
    active: Option<Active>,
}

enum Content {
    Pieces(std::array::IntoIter<Bytes, 3>),
    Stream(BoxBody<Bytes, Infallible>),
}

impl ResponseBody {
    pub(super) fn pieces(pieces: [Bytes; 3]) -> Self {
        Self { content: Content::Pieces(pieces.into_iter()), active: None }
    }

    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::pieces([bytes.into(), Bytes::new(), Bytes::new()])
    }

    pub(crate) fn stream(body: BoxBody<Bytes, Infallible>) -> Self {
        Self { content: Content::Stream(body), active: None }
    }

    pub(super) fn of(mut self, active: Active) -> Self {
        self.active = Some(active);
        self
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.content {
            Content::Pieces(pieces) => {
                Poll::Ready(pieces.find(|piece| !piece.is_empty()).map(|piece| Ok(Frame::data(piece))))
            }
            Content::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Pieces(pieces) => pieces.as_slice().iter().all(Bytes::is_empty),
            Content::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Pieces(pieces) => {
                SizeHint::with_exact(pieces.as_slice().iter().map(|piece| piece.len() as u64).sum())
            }
            Content::Stream(body) => body.size_hint(),
        }
    }
}

/// Why a request's body is not read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    TooLarge,
    TooSlow,
    Broken(String),
}

/// Reads a body whole: without a copy where it comes in one piece.
pub(crate) async fn read<B>(body: B, limit: usize) -> Result<Bytes, Unread>
where
    B: Body,
    B::Error: std::fmt::Display,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLarge);
    }
    let mut body = std::pin::pin!(body);
    let mut reading = std::pin::pin!(collect(body.as_mut(), limit));
    // Most bodies are there already, and need no timer.
    let first = std::future::poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await;
    match first {
        Poll::Ready(read) => read,
        Poll::Pending => {
            Box::pin(tokio::time::timeout(DEADLINE, reading)).await.unwrap_or(Err(Unread::TooSlow))
        }
    }
}

async fn collect<B>(mut body: Pin<&mut B>, limit: usize) -> Result<Bytes, Unread>
where
    B: Body,
    B::Error: std::fmt::Display,
{
    let expected = usize::try_from(body.size_hint().upper().unwrap_or(0)).unwrap_or(limit).min(limit);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Unread::Broken(error.to_string()))?;
        let Ok(mut data) = frame.into_data() else { continue };
        if data.remaining() > limit.saturating_sub(first.len().max(rest.len())) {
            return Err(Unread::TooLarge);
        }
        if first.is_empty() && rest.is_empty() {
            first = data.copy_to_bytes(data.remaining());
            continue;
        }
        if rest.is_empty() {
            // No more at once than has come: a length is a claim.
            rest.reserve(expected.min((first.len() + data.remaining()).saturating_mul(4)));
            rest.extend_from_slice(&first);
        }
        rest.extend_from_slice(data.copy_to_bytes(data.remaining()).as_ref());
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    /// A body that comes in chunks of these sizes.
    struct Chunks<'a>(std::slice::Iter<'a, usize>);

    impl Body for Chunks<'_> {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.next().map(|size| Ok(Frame::data(Bytes::from(vec![b'x'; *size])))))
        }
    }

    fn chunks(sizes: &[usize]) -> Chunks<'_> {
        Chunks(sizes.iter())
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        for (sizes, limit, expected) in [
            (&[][..], 0, Ok(0)),
            (&[5], 5, Ok(5)),
            (&[5], 4, Err(Unread::TooLarge)),
            (&[3, 0, 3], 6, Ok(6)),
            (&[3, 3, 1], 6, Err(Unread::TooLarge)),
        ] {
            let read = read(chunks(sizes), limit).await.map(|body| body.len());
            assert_eq!(read, expected, "{sizes:?} of {limit}");
        }
        assert_eq!(read(Full::new(Bytes::from_static(b"four")), 3).await, Err(Unread::TooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        struct Never;
        impl Body for Never {
            type Data = Bytes;
            type Error = Infallible;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
                Poll::Pending
            }
        }
        assert_eq!(read(Never, 10).await, Err(Unread::TooSlow));
    }

    #[tokio::test]
    async fn an_answer_comes_in_its_pieces() {
        let piece = |text: &'static str| Bytes::from_static(text.as_bytes());
        let body = ResponseBody::pieces([piece("head"), piece(""), piece("tail")]);
        assert_eq!(body.size_hint().exact(), Some(8));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "headtail");
        assert!(ResponseBody::whole("").is_end_stream());
    }
}
