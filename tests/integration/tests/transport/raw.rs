//! A client of HTTP/1.1 that writes what it likes.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use harness::{MODERN, request_meta};
use mcp_server::serde_json::{self, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long an answer may take: longer than any deadline of the product, which pass at once where time is
/// paused.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        // rmcp may answer with an event.
        let data = self.body.lines().find_map(|line| line.strip_prefix("data: {"));
        let json = data.map_or_else(|| self.body.clone(), |data| format!("{{{data}"));
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns the text of a tool's result.
    pub(crate) fn text(&self) -> String {
        let text = &self.json()["result"]["content"][0]["text"];
        text.as_str().unwrap_or_else(|| panic!("no result: {self:?}")).to_owned()
    }
}

/// Returns the message of a call.
pub(crate) fn message(name: &str, arguments: &Value) -> String {
    let params = json!({ "name": name, "arguments": arguments, "_meta": request_meta(&json!({})) });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string()
}

/// Returns the head of a call, without its end.
pub(crate) fn head(name: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: {MODERN}\r\n\
         mcp-method: tools/call\r\nmcp-name: {name}\r\n"
    )
}

/// Returns a request of a body, with further headers.
pub(crate) fn request(name: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{}{headers}content-length: {}\r\n\r\n", head(name), body.len());
    [head.as_bytes(), body].concat()
}

/// Returns the request of a call.
pub(crate) fn call(name: &str, arguments: &Value) -> Vec<u8> {
    request(name, "", message(name, arguments).as_bytes())
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Calls a tool.
    pub(crate) async fn call(&mut self, name: &str, arguments: Value) -> Answer {
        self.send(call(name, &arguments)).await.unwrap();
        self.answer().await.expect("an answer")
    }

    /// Reads one answer; `None` where the connection ends before it is whole.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        loop {
            if let Some((answer, length)) = whole(&self.read) {
                self.read.drain(..length);
                return Some(answer);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Waits until the server has closed, and returns what came before.
    pub(crate) async fn closed(&mut self) -> String {
        while self.more().await {}
        String::from_utf8_lossy(&std::mem::take(&mut self.read)).into_owned()
    }

    /// Reads some more; `false` where the connection has ended.
    pub(crate) async fn more(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await;
        matches!(read.expect("something within the time"), Ok(length) if length > 0)
    }

    /// Goes away as a process does that is killed with unread data: without a word, by a reset.
    pub(crate) fn kill(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// Returns what is read so far.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.read
    }
}

/// Returns the first answer of what was read, and how long it is.
fn whole(read: &[u8]) -> Option<(Answer, usize)> {
    let end = read.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let head = String::from_utf8(read[..end].to_vec()).unwrap();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let length = match header("content-length: ") {
        Some(length) => length.parse().unwrap(),
        None => read[end..].windows(5).position(|bytes| bytes == b"0\r\n\r\n")? + 5,
    };
    let body = String::from_utf8_lossy(read.get(end..end + length)?).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some((Answer { status, head, body }, end + length))
}

/// One second of whatever clock there is.
pub(crate) const SECOND: Duration = Duration::from_secs(1);
