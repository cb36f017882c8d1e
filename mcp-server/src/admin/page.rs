//! Answers of text.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::transport::http::{ResponseBody, liked, text as plain, whole};

/// From this size on an answer is compressed where that is asked for, in bytes.
const COMPRESSED: usize = 1 << 10;

/// Returns a text.
pub(super) fn text(status: StatusCode, reason: &str) -> Response<ResponseBody> {
    plain(status, reason)
}

/// Returns a page.
pub(super) fn html(status: StatusCode, page: Bytes) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(page));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// Returns data in the coding that the client likes best.
pub(super) async fn coded(
    headers: &HeaderMap,
    bytes: Bytes,
    media_type: HeaderValue,
) -> Response<ResponseBody> {
    let encoding = liked(headers).filter(|_| bytes.len() >= COMPRESSED);
    let packed = match encoding {
        Some(encoding) => {
            let bytes = bytes.clone();
            tokio::task::spawn_blocking(move || whole(encoding, &[bytes])).await.ok()
        }
        None => None,
    };
    let encoding = encoding.filter(|_| packed.is_some());
    let mut response = Response::new(ResponseBody::whole(packed.unwrap_or(bytes)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.word()));
    }
    response
}
