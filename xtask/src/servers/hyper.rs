//! hyper alone, which answers every request with the same bytes: what HTTP costs without a protocol.

use std::io::Read as _;

use anyhow::{Result, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use tokio::net::TcpListener;

use super::http1;

/// Reads the answer that the server is to give from stdin.
pub(super) fn read_answer() -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    std::io::stdin().lock().read_to_end(&mut answer)?;
    ensure!(!answer.is_empty(), "hyper answers with what it reads from stdin: write `< answer.json`");
    Ok(answer)
}

pub(super) async fn serve_http(listener: TcpListener, answer: Vec<u8>) -> Result<()> {
    let answer = Bytes::from(answer);
    http1::serve(listener, service_fn(move |request| respond(request, answer.clone()))).await
}

async fn respond(request: Request<Incoming>, answer: Bytes) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    let mut response = Response::new(Full::new(answer));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
