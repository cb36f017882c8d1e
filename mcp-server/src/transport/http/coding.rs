//! Which bodies are compressed on their way, and where that is done.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
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

    /// Returns the pieces of an answer that is too small to be worth it, or the answer.
    pub(super) fn plain(&self, written: Written) -> Result<[Bytes; 3], Written> {
        if written.len() < self.threshold { Ok(written.pieces()) } else { Err(written) }
    }

    /// Returns an answer in the coding that its client likes best.
    pub(super) async fn answer(&self, request: &HeaderMap, written: Written) -> Response<ResponseBody> {
        let encoding = negotiate(request.get_all(ACCEPT_ENCODING).iter());
        let pieces = match encoding {
            None => written.pieces(),
            Some(encoding) if written.kept && !written.payload.is_empty() => {
                self.kept.get_or_pack(encoding, &written.payload).splice(&written.head, &written.tail)
            }
            Some(encoding) => [packed(encoding, written).await, Bytes::new(), Bytes::new()],
        };
        let mut response = Response::new(ResponseBody::pieces(pieces));
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.word()));
        }
        response
    }
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
