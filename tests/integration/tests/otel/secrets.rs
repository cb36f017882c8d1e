//! Nothing that a client sends or a component returns is told, but for the URI that is read.

use mcp_server::serde_json::json;
use mcp_server::tokio;

use super::components::{config, server};
use super::lab::{Client, Way, lab};

const CANARY: &str = "canary-7f3a91";

#[tokio::test]
async fn no_argument_and_no_result_is_told() {
    let lab = lab().await;
    for way in Way::all() {
        let mut client = Client::of(way, server(config(way.direct))).await;
        for tool in ["repeat", "refuse", "hide", "explode", "add", CANARY] {
            client
                .request("tools/call", json!({ "name": tool, "arguments": { "text": CANARY, "a": CANARY } }))
                .await;
        }
        client.request("prompts/get", json!({ "name": "greet", "arguments": { "name": CANARY } })).await;
        client.request("prompts/get", json!({ "name": CANARY, "arguments": { "name": CANARY } })).await;
        client.request(CANARY, json!({ "name": CANARY })).await;
    }
    let told = lab.everything();
    assert!(told.contains("tools/call explode") && told.contains("mcp.server.operation.duration"));
    let at = told.find(CANARY);
    assert!(at.is_none(), "{}", &told[at.unwrap().saturating_sub(300)..][..400]);
}
