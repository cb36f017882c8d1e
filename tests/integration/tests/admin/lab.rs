//! A server at ports of its own, and somebody who asks it.

use std::sync::Arc;
use std::time::Duration;

use mcp_server::serde_json::Value;
use mcp_server::{Config, Server, tokio};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, redirect};
use tokio::net::TcpListener;

use super::components::server;

pub(crate) const TOKEN: &str = "a token of these tests";

pub(crate) struct Lab {
    pub(crate) server: Arc<Server>,
    /// Where the protocol is, `http://127.0.0.1:..`.
    pub(crate) url: String,
    pub(crate) client: Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Lab {
    pub(crate) async fn new() -> Self {
        Self::of(server(Config::default()), "127.0.0.1:0").await
    }

    /// A server that asks for [`TOKEN`].
    pub(crate) async fn guarded() -> Self {
        let mut config = Config::default();
        config.admin_token = Some(TOKEN.to_owned());
        Self::of(server(config), "127.0.0.1:0").await
    }

    pub(crate) async fn of(server: Server, address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Arc::new(server);
        let serving = Arc::clone(&server);
        tokio::spawn(async move { serving.serve_listener(listener).await.unwrap() });
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
        Self { server, url: format!("http://127.0.0.1:{port}"), client }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        send(self.request(Method::GET, path).header(name, value)).await
    }

    pub(crate) async fn call(&self, name: &str, arguments: Value) -> String {
        self.server.call_tool(name, arguments).await.unwrap().text()
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

/// Waits until something is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), waiting).await.is_ok(), "in vain: {what}");
}
