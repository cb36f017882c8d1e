//! Clients that know no more of the protocol than a line of JSON.

use std::time::Duration;

use mcp_server::prelude::*;
use mcp_server::rmcp::ServiceExt as _;
use mcp_server::serde_json::{self, Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf,
    WriteHalf,
};

/// One session, as over stdio.
pub(crate) struct Client {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    write: WriteHalf<DuplexStream>,
    /// What came before what was waited for: news may overtake an answer.
    early: Vec<Value>,
}

impl Client {
    pub(crate) async fn connect(server: &Server) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let handler = server.rmcp().unwrap();
        tokio::spawn(async move { handler.serve(theirs).await.unwrap().waiting().await });
        let (read, write) = tokio::io::split(ours);
        let mut client = Self { lines: BufReader::new(read).lines(), write, early: Vec::new() };
        let hello = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        client.ask("initialize", hello).await;
        client.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        client
    }

    /// Sends a request and returns its result or its error.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.send(json!({ "jsonrpc": "2.0", "id": method, "method": method, "params": params })).await;
        let answer = self.wait(|message| message["id"] == method).await;
        answer.get("result").or(answer.get("error")).unwrap().clone()
    }

    /// Waits for the news that a resource has changed, and returns its URI.
    pub(crate) async fn updated(&mut self) -> String {
        let news = self.wait(|message| message["method"] == "notifications/resources/updated").await;
        news["params"]["uri"].as_str().unwrap().to_owned()
    }

    async fn send(&mut self, message: Value) {
        self.write.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.early.iter().position(&wanted) {
            return self.early.remove(at);
        }
        let wait = async {
            loop {
                let line = self.lines.next_line().await.unwrap().expect("the session is open");
                let message: Value = serde_json::from_str(&line).unwrap();
                if wanted(&message) {
                    return message;
                }
                self.early.push(message);
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.expect("an answer")
    }
}

/// Sends one request of revision 2026-07-28 over HTTP and returns its result or its error.
pub(crate) async fn post(port: u16, token: &str, method: &str, name: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\nMcp-Name: {name}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    // The line with the message, whether the answer is JSON or a stream of events.
    let lines = answer.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
    let mut messages =
        lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()).filter(Value::is_object);
    let message = messages.next().unwrap_or_else(|| panic!("no message in {answer}"));
    message.get("result").or(message.get("error")).unwrap().clone()
}
