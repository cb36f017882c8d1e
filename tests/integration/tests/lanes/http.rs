//! HTTP by hand: whatever is to be sent can be, well-formed or not.

use std::time::Duration;

use mcp_server::tokio;
use mcp_server::tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use mcp_server::tokio::net::TcpStream;

use super::compare::{Answer, messages};
use super::corpus::{Request, is_endless};

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// After which silence a stream that has no end is taken for all that comes.
const SILENCE: Duration = Duration::from_millis(250);

/// Sends a request with a body and returns what comes back.
pub async fn send(port: u16, request: &Request, body: &[u8]) -> Answer {
    exchange(port, &request.verb, &request.headers, body).await
}

/// Sends a body in a new session of a revision.
pub async fn send_in_session(port: u16, revision: &str, body: &[u8]) -> Answer {
    let hello = format!(
        r#"{{"jsonrpc":"2.0","id":"o","method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{{"name":"lanes","version":"1"}}}}}}"#
    );
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = vec![
        text("host", "127.0.0.1"),
        text("accept", "application/json, text/event-stream"),
        text("content-type", "application/json"),
    ];
    let opened = exchange(port, "POST", &headers, hello.as_bytes()).await;
    let session = opened.headers.into_iter().find(|(name, _)| name == "mcp-session-id").unwrap();
    headers.extend([session, text("mcp-protocol-version", revision)]);
    exchange(port, "POST", &headers, INITIALIZED.as_bytes()).await;
    let answer = exchange(port, "POST", &headers, body).await;
    // There is room for so many sessions and no more.
    exchange(port, "DELETE", &headers, b"").await;
    answer
}

async fn exchange(port: u16, verb: &str, headers: &[(String, String)], body: &[u8]) -> Answer {
    let mut head = format!("{verb} /mcp HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {}\r\n", value.trim_start_matches(' ')));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();

    let endless = verb == "GET" || is_endless(body);
    let mut read = Vec::new();
    loop {
        let patience = if endless { SILENCE } else { PATIENCE };
        match tokio::time::timeout(patience, stream.read_buf(&mut read)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => {}
            Err(_) => break,
        }
    }
    answer(&read)
}

fn answer(read: &[u8]) -> Answer {
    let end = read.windows(4).position(|window| window == b"\r\n\r\n").map_or(read.len(), |at| at + 4);
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let chunked = headers.iter().any(|(name, _)| name == "transfer-encoding");
    let body = if chunked { joined(&read[end..]) } else { read[end..].to_vec() };
    let text = String::from_utf8_lossy(&body).into_owned();
    let streamed =
        headers.iter().any(|(name, value)| name == "content-type" && value.starts_with("text/event-stream"));
    let data: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).collect();
    let texts = if streamed { data } else { vec![text.trim()] };
    let messages = messages(texts.into_iter().filter(|text| !text.is_empty()));
    Answer { status, headers, streamed, messages }
}

/// Joins chunks (RFC 9112, section 7.1).
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|window| window == b"\r\n") {
        let size = String::from_utf8_lossy(&chunks[..end]).into_owned();
        let size = usize::from_str_radix(&size, 16).unwrap_or(0).min(chunks.len() - end - 2);
        if size == 0 {
            break;
        }
        body.extend_from_slice(&chunks[end + 2..end + 2 + size]);
        chunks = chunks.get(end + 2 + size + 2..).unwrap_or_default();
    }
    body
}
