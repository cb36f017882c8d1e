//! Raw messages to a real port.

use mcp_server::Server;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{LEGACY, MODERN, request_meta, schema};

/// A server at a port of its own, and a client of it.
pub struct Http {
    pub url: String,
    client: reqwest::Client,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    /// The messages of the body: one, or those of its event stream.
    pub messages: Vec<Value>,
    pub text: String,
}

impl Reply {
    /// Returns the answer: the last message.
    pub fn answer(&self) -> &Value {
        self.messages.last().unwrap_or_else(|| panic!("no message: {} {}", self.status, self.text))
    }

    /// Returns the result.
    ///
    /// # Panics
    ///
    /// Panics where there is none.
    pub fn result(&self) -> &Value {
        self.answer().get("result").unwrap_or_else(|| panic!("no result: {} {}", self.status, self.text))
    }
}

impl Http {
    /// Serves a server at a free port until the runtime ends.
    pub async fn serve(server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        tokio::spawn(async move { server.serve_listener(listener).await.unwrap() });
        Self::at(url)
    }

    /// Talks to a server that runs already.
    pub fn at(url: String) -> Self {
        Self { url, client: reqwest::Client::new(), token: None }
    }

    /// Returns a client of the same server with a bearer token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { url: self.url.clone(), client: self.client.clone(), token: Some(token.to_owned()) }
    }

    /// Sends a request of the newest revision.
    pub async fn request(&self, method: &str, params: Value) -> Reply {
        self.request_with(method, params, &json!({})).await
    }

    /// Sends a request of the newest revision, by a client with certain capabilities.
    pub async fn request_with(&self, method: &str, mut params: Value, capabilities: &Value) -> Reply {
        params["_meta"] = request_meta(capabilities);
        let name =
            params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str).map(ToOwned::to_owned);
        let body = json!({ "jsonrpc": "2.0", "id": "h1", "method": method, "params": params });
        let mut headers =
            vec![("mcp-protocol-version", MODERN.to_owned()), ("mcp-method", method.to_owned())];
        headers.extend(name.map(|name| ("mcp-name", name)));
        let reply = self.post(&body.to_string(), &headers).await;
        for message in &reply.messages {
            schema::check(MODERN, Some(method), message);
        }
        reply
    }

    /// Opens a session of an older revision and returns its id.
    pub async fn initialize(&self, capabilities: &Value) -> String {
        let body = json!({
            "jsonrpc": "2.0",
            "id": "h0",
            "method": "initialize",
            "params": {
                "protocolVersion": LEGACY,
                "capabilities": capabilities,
                "clientInfo": { "name": "harness", "version": "1.0.0" },
            },
        });
        let reply = self.post(&body.to_string(), &[]).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        schema::check(LEGACY, Some("initialize"), reply.answer());
        let session = reply.headers["mcp-session-id"].to_str().unwrap().to_owned();
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        self.post(&initialized.to_string(), &[("mcp-session-id", session.clone())]).await;
        session
    }

    /// Sends a request within a session.
    pub async fn request_in(&self, session: &str, method: &str, params: Value) -> Reply {
        let body = json!({ "jsonrpc": "2.0", "id": "h1", "method": method, "params": params });
        let headers = [("mcp-session-id", session.to_owned()), ("mcp-protocol-version", LEGACY.to_owned())];
        let reply = self.post(&body.to_string(), &headers).await;
        for message in &reply.messages {
            schema::check(LEGACY, Some(method), message);
        }
        reply
    }

    /// Posts a body as it is.
    pub async fn post(&self, body: &str, headers: &[(&str, String)]) -> Reply {
        let mut request = self
            .client
            .post(&self.url)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let is_stream =
            headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let messages = if is_stream {
            let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
            data.filter(|data| !data.is_empty()).map(|data| serde_json::from_str(data).unwrap()).collect()
        } else {
            serde_json::from_str(&text).into_iter().collect()
        };
        Reply { status, headers, messages, text }
    }

    /// Asks, as a browser does, whether a page of an origin may call.
    pub async fn preflight(&self, origin: &str) -> Reply {
        let request = self.client.request(reqwest::Method::OPTIONS, &self.url).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let response = request.header("access-control-request-headers", "mcp-method").send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, messages: Vec::new(), text: String::new() }
    }

    /// Gets another path of the same server.
    pub async fn get(&self, path: &str) -> Reply {
        let url = self.url.replace("/mcp", path);
        let response = self.client.get(url).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, messages: Vec::new(), text: response.text().await.unwrap() }
    }
}
