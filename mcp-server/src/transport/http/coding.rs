//! Which bodies are compressed on their way, and where that is done.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue, Response};

use super::body::ResponseBody;
use super::compress::{Encoding, Inflate, Precompressed, inflate, negotiate, whole};
use super::service::text;
use crate::protocol::lane::Written;

/// From this size on the work is left to a thread that may block: it takes milliseconds.
const LARGE: usize = 128 << 10;

/// How answers are compressed.
pub(super) struct Coding {
    /// The smallest answer that is.
    threshold: usize,
    kept: Precompressed,
}

impl Coding {
    /// `capacity` is how many bytes may be kept of what is sent again and again.
    pub(super) fn new(threshold: u64, capacity: u64) -> Self {
        let size = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self { threshold: size(threshold), kept: Precompressed::new(size(capacity)) }
    }

    /// Returns whether an answer is large enough for its client to be asked.
    pub(super) fn concerns(&self, written: &Written) -> bool {
        written.len() >= self.threshold
    }

    /// Returns an answer in a coding, which its headers name.
    pub(super) async fn answer(&self, encoding: Encoding, written: Written) -> Response<ResponseBody> {
        let pieces = if written.kept && !written.payload.is_empty() {
            self.kept.get_or_pack(encoding, &written.payload).splice(&written.head, &written.tail)
        } else {
            [packed(encoding, written).await, Bytes::new(), Bytes::new()]
        };
        let mut response = Response::new(ResponseBody::pieces(pieces));
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.word()));
        response
    }
}

/// Returns the coding that a client likes best.
pub(crate) fn liked(headers: &HeaderMap) -> Option<Encoding> {
    negotiate(headers.get_all(ACCEPT_ENCODING).iter())
}

async fn packed(encoding: Encoding, written: Written) -> Bytes {
    let large = written.len() >= LARGE;
    let pieces = written.pieces();
    if !large {
        return whole(encoding, &pieces);
    }
    let work = {
        let pieces = pieces.clone();
        move || whole(encoding, &pieces)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(packed) => packed,
        // The runtime is shutting down: what is still answered is answered here.
        Err(_) => whole(encoding, &pieces),
    }
}

/// Returns a request's body as it was before its coding.
pub(super) async fn decoded(
    headers: &HeaderMap,
    body: Bytes,
    limit: usize,
) -> Result<Bytes, Response<ResponseBody>> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(body) };
    // Several are one list, which no coding is named by.
    let several = || HeaderValue::from_static("several");
    let coding = codings.next().map_or_else(|| coding.clone(), |_| several());
    // A small body may be a bomb: its size says nothing about the work.
    let inflated = tokio::task::spawn_blocking(move || inflate(Some(&coding), body, limit)).await;
    let refused = match inflated {
        Ok(Ok(body)) => return Ok(body),
        Ok(Err(refused)) => refused,
        Err(error) => {
            tracing::error!(%error, "a body was not inflated");
            return Err(text(http::StatusCode::INTERNAL_SERVER_ERROR, "the body was not inflated\n"));
        }
    };
    let mut response = text(refused.status(), &format!("{refused}\n"));
    if let Inflate::Unknown(_) = refused {
        // RFC 9110, section 15.5.16.
        response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(Encoding::KNOWN));
    }
    Err(response)
}
