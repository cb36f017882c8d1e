//! rmcp, tuned: its router is built once and shared, and it answers in JSON without sessions.

use std::sync::Arc;

use anyhow::Result;
use hyper_util::service::TowerToHyperService;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::schemars::JsonSchema;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService, stdio};
use rmcp::{ServerHandler, ServiceExt as _, tool, tool_handler, tool_router};
use seq_macro::seq;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::{http1, work};

#[derive(Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Add {
    a: i64,
    b: i64,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Page {
    key: String,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Echo {
    text: String,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Find {
    /// Whose orders.
    customer: String,
    /// How many at most.
    limit: i64,
}

/// The handler, of which each request gets a copy.
#[derive(Clone)]
struct Bench {
    router: Arc<ToolRouter<Self>>,
}

#[tool_router]
impl Bench {
    /// Adds two numbers.
    #[tool(annotations(read_only_hint = true))]
    fn add(&self, Parameters(Add { a, b }): Parameters<Add>) -> String {
        (a + b).to_string()
    }

    /// Returns the page of a key.
    #[tool(annotations(read_only_hint = true))]
    fn page(&self, Parameters(Page { key }): Parameters<Page>) -> String {
        work::page(&key)
    }

    /// Returns the text it is given.
    #[tool(annotations(read_only_hint = true))]
    fn echo(&self, Parameters(Echo { text }): Parameters<Echo>) -> String {
        text
    }

    /// Waits as for another service.
    #[tool(annotations(read_only_hint = true))]
    async fn wait(&self) -> String {
        sleep(work::WAIT).await;
        "waited".to_owned()
    }
}

seq!(N in 000..200 {
    #[tool_router(router = many_router)]
    impl Bench {
        #(
            /// Finds the orders of a customer.
            #[tool(annotations(read_only_hint = true))]
            fn find~N(&self, Parameters(Find { customer, limit }): Parameters<Find>) -> String {
                work::found(&customer, limit)
            }
        )*
    }
});

#[tool_handler(router = self.router, name = "bench", version = "1.0.0")]
impl ServerHandler for Bench {}

impl Bench {
    fn new(many: bool) -> Self {
        let router = if many { Self::many_router() } else { Self::tool_router() };
        Self { router: Arc::new(router) }
    }
}

pub(super) async fn serve_http(listener: TcpListener, many: bool) -> Result<()> {
    let handler = Bench::new(many);
    let config =
        StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    let service = StreamableHttpService::new(
        move || Ok(handler.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    http1::serve(listener, TowerToHyperService::new(service)).await
}

pub(super) async fn serve_stdio(many: bool) -> Result<()> {
    Bench::new(many).serve(stdio()).await?.waiting().await?;
    Ok(())
}
