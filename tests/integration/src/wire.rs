//! Raw messages over a pipe in memory, as over stdio.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use mcp_server::Server;
use rmcp::ServiceExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf};

use crate::{MODERN, request_meta, schema};

/// How long a test waits for a message before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers a request of the server: its method and parameters to a result.
type Answer = Box<dyn FnMut(&str, &Value) -> Value + Send>;

/// A client of one connection.
pub struct Wire {
    revision: String,
    capabilities: Value,
    lines: tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
    write: WriteHalf<DuplexStream>,
    next_id: u64,
    /// The methods of requests that have no answer yet, by id.
    pending: HashMap<String, String>,
    /// Answers that came while another was waited for.
    early: HashMap<String, Value>,
    /// Notifications that have come and not been taken.
    pub notifications: VecDeque<Value>,
    /// Requests of the server that have come, in order.
    pub asked: Vec<Value>,
    answer: Answer,
    checked: bool,
}

impl Wire {
    /// Connects in a revision, with the capabilities of a client that has none.
    pub async fn connect(server: &Server, revision: &str) -> Self {
        Self::connect_with(server, revision, json!({})).await
    }

    /// Connects in a revision: before 2026-07-28 with the handshake.
    pub async fn connect_with(server: &Server, revision: &str, capabilities: Value) -> Self {
        let wire = Self::open(server, revision, capabilities.clone());
        if revision == MODERN { wire } else { wire.greeted(capabilities).await }
    }

    /// Does the handshake of the revisions that have one.
    async fn greeted(mut self, capabilities: Value) -> Self {
        let revision = self.revision.clone();
        let hello = json!({
            "protocolVersion": revision,
            "capabilities": capabilities,
            "clientInfo": { "name": "harness", "version": "1.0.0" },
        });
        let answer = self.request("initialize", hello).await;
        assert_eq!(answer["result"]["protocolVersion"], revision, "{answer}");
        self.notify("notifications/initialized", json!({})).await;
        self
    }

    /// Connects before 2026-07-28 to rmcp alone, as in a program that embeds the handler: without a start.
    pub async fn connect_embedded(server: &Server, revision: &str) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let handler = server.rmcp().expect("the server starts");
        tokio::spawn(async move {
            if let Ok(serving) = handler.serve(tokio::io::split(theirs)).await {
                let _ = serving.waiting().await;
            }
        });
        Self::over(ours, revision, json!({})).greeted(json!({})).await
    }

    /// Opens a connection and sends nothing.
    pub fn open(server: &Server, revision: &str, capabilities: Value) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (read, write) = tokio::io::split(theirs);
        tokio::spawn(server.serve_pipes(read, write));
        Self::over(ours, revision, capabilities)
    }

    fn over(ours: DuplexStream, revision: &str, capabilities: Value) -> Self {
        let (read, write) = tokio::io::split(ours);
        Self {
            revision: revision.to_owned(),
            capabilities,
            lines: BufReader::new(read).lines(),
            write,
            next_id: 0,
            pending: HashMap::new(),
            early: HashMap::new(),
            notifications: VecDeque::new(),
            asked: Vec::new(),
            answer: Box::new(|method, _| panic!("the server asked `{method}`, and the test has no answer")),
            checked: true,
        }
    }

    /// Takes whatever the server sends, for tests whose own messages are none.
    pub fn unchecked(mut self) -> Self {
        self.checked = false;
        self.answer = Box::new(|_, _| json!({}));
        self
    }

    /// Takes what has come already, without waiting for more.
    pub async fn drain(&mut self) {
        while let Ok(Ok(Some(_))) = tokio::time::timeout(Duration::ZERO, self.lines.next_line()).await {}
    }

    /// Sets what the client answers to requests of the server.
    pub fn answering(mut self, answer: impl FnMut(&str, &Value) -> Value + Send + 'static) -> Self {
        self.answer = Box::new(answer);
        self
    }

    /// Sends a request and waits for its answer, the whole message.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        self.answer_to(&id).await
    }

    /// Sends a request and returns its result.
    ///
    /// # Panics
    ///
    /// Panics where the answer is an error.
    pub async fn result(&mut self, method: &str, params: Value) -> Value {
        let mut answer = self.request(method, params).await;
        assert!(answer.get("error").is_none(), "`{method}` failed: {answer}");
        answer["result"].take()
    }

    /// Calls a tool and returns its result.
    pub async fn call(&mut self, name: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({ "name": name, "arguments": arguments })).await
    }

    /// Sends a request and returns its id.
    pub async fn send(&mut self, method: &str, mut params: Value) -> String {
        self.next_id += 1;
        let id = format!("r{}", self.next_id);
        if self.revision == MODERN {
            let meta = request_meta(&self.capabilities);
            let given = params.as_object_mut().unwrap().entry("_meta").or_insert_with(|| json!({}));
            for (key, value) in meta.as_object().unwrap() {
                given.as_object_mut().unwrap().entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        self.pending.insert(id.clone(), method.to_owned());
        self.send_raw(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string())
            .await;
        id
    }

    /// Sends a notification.
    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send_raw(&json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string()).await;
    }

    /// Sends a line as it is.
    pub async fn send_raw(&mut self, line: &str) {
        self.write.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Waits for the answer to a request that was sent.
    pub async fn answer_to(&mut self, id: &str) -> Value {
        loop {
            if let Some(answer) = self.early.remove(id) {
                return answer;
            }
            self.receive().await;
        }
    }

    /// Waits for a notification of a method, and takes it.
    pub async fn notification(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.notifications.iter().position(|message| message["method"] == method) {
                return self.notifications.remove(at).unwrap();
            }
            self.receive().await;
        }
    }

    /// Returns whether nothing more comes within a moment.
    pub async fn is_silent(&mut self) -> bool {
        let before = self.notifications.len() + self.early.len();
        let _ = tokio::time::timeout(Duration::from_millis(150), self.receive()).await;
        self.notifications.len() + self.early.len() == before
    }

    /// Receives one message, checks it against its schema, and files it.
    pub async fn receive(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("a message within the time").unwrap().expect("the server is there");
        let message: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}"));
        let id = message.get("id").and_then(Value::as_str).map(ToOwned::to_owned);
        if message.get("method").is_none() {
            let method = id.as_ref().and_then(|id| self.pending.remove(id));
            if self.checked {
                schema::check(&self.revision, method.as_deref(), &message);
            }
            self.early.insert(id.unwrap_or_default(), message.clone());
        } else if let Some(id) = message.get("id") {
            if self.checked {
                schema::check(&self.revision, None, &message);
            }
            let result = (self.answer)(message["method"].as_str().unwrap(), &message["params"]);
            self.asked.push(message.clone());
            self.send_raw(&json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string()).await;
        } else {
            if self.checked {
                schema::check(&self.revision, None, &message);
            }
            self.notifications.push_back(message.clone());
        }
        message
    }
}
