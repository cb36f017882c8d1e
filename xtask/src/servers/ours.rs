//! Our server.

use anyhow::Result;
use mcp_server::{Config, Server, tool};
use seq_macro::seq;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::work;

/// Adds two numbers.
#[tool(read_only)]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Returns the page of a key.
#[tool(read_only, cache(ttl = "1h", scope = "public"))]
fn page(key: String) -> String {
    work::page(&key)
}

/// Returns the text it is given.
#[tool(read_only)]
fn echo(text: String) -> String {
    text
}

/// Waits as for another service.
#[tool(read_only)]
async fn wait() -> &'static str {
    sleep(work::WAIT).await;
    "waited"
}

/// Waits longer than anything beside it.
#[tool(read_only)]
async fn hold() -> &'static str {
    sleep(work::HOLD).await;
    "held"
}

seq!(N in 000..200 {
    #(
        /// Finds the orders of a customer.
        #[tool(read_only)]
        fn find~N(
            /// Whose orders.
            customer: String,
            /// How many at most.
            limit: i64,
        ) -> String {
            work::found(&customer, limit)
        }
    )*

    fn with_many(server: Server) -> Server {
        server #(.tool(find~N::def()))*
    }
});

/// Makes the server, with settings that no environment or file changes.
fn server(many: bool, measured: bool) -> Server {
    let mut config = Config::default();
    config.monitoring_enabled = measured;
    let server = Server::builder().name("bench").config(config);
    if many {
        return with_many(server);
    }
    server.tool(add::def()).tool(page::def()).tool(echo::def()).tool(wait::def()).tool(hold::def())
}

pub(super) async fn serve_http(listener: TcpListener, many: bool, measured: bool) -> Result<()> {
    Ok(server(many, measured).serve_listener(listener).await?)
}

pub(super) async fn serve_stdio(many: bool) -> Result<()> {
    Ok(server(many, true).serve_stdio().await?)
}
