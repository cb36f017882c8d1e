//! flymcprust, served by its own HTTP loop.

use anyhow::Result;
use flymcprust::transport::http::{StreamableHttpService, serve};
use flymcprust::{Server, ServerBuilder, tool};
use seq_macro::seq;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::work;

/// Adds two numbers.
#[tool(read_only)]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Returns the page of a key.
#[tool(read_only)]
async fn page(key: String) -> String {
    work::page(&key)
}

/// Returns the text it is given.
#[tool(read_only)]
async fn echo(text: String) -> String {
    text
}

/// Waits as for another service.
#[tool(read_only)]
async fn wait() -> &'static str {
    sleep(work::WAIT).await;
    "waited"
}

seq!(N in 000..200 {
    #(
        /// Finds the orders of a customer.
        #[tool(read_only)]
        async fn find~N(
            /// Whose orders.
            customer: String,
            /// How many at most.
            limit: i64,
        ) -> String {
            work::found(&customer, limit)
        }
    )*

    fn with_many(builder: ServerBuilder) -> ServerBuilder {
        builder #(.tool::<find~N>())*
    }
});

fn server(many: bool) -> Result<Server> {
    // The others do not repeat in each answer who they are.
    let builder = Server::builder("bench", "1.0.0").include_server_info(false);
    let builder = if many {
        with_many(builder)
    } else {
        builder.tool::<add>().tool::<page>().tool::<echo>().tool::<wait>()
    };
    Ok(builder.build()?)
}

pub(super) async fn serve_http(listener: TcpListener, many: bool) -> Result<()> {
    let service = StreamableHttpService::new(server(many)?);
    Ok(serve(listener, service, "/mcp", std::future::pending()).await?)
}

pub(super) async fn serve_stdio(many: bool) -> Result<()> {
    Ok(server(many)?.serve_stdio().await?)
}
