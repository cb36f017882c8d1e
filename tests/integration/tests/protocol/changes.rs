//! What subscribers are told, in the way of their revision.

use harness::{LEGACY, MODERN, Wire};
use mcp_server::serde_json::json;

use super::components::server;

#[tokio::test]
async fn an_invalidated_resource_is_told_to_a_session_that_subscribed() {
    let server = server();
    let mut wire = Wire::connect(&server, LEGACY).await;
    let mut other = Wire::connect(&server, LEGACY).await;
    wire.result("resources/subscribe", json!({ "uri": "product://7" })).await;
    wire.call("set_price", json!({ "id": 7, "price": 1.5 })).await;
    let told = wire.notification("notifications/resources/updated").await;
    assert_eq!(told["params"]["uri"], "product://7");

    // By its tag, which every product carries; and nobody else is told.
    other.call("set_price", json!({ "id": 8, "price": 1.5 })).await;
    wire.notification("notifications/resources/updated").await;
    assert!(other.is_silent().await);

    wire.result("resources/unsubscribe", json!({ "uri": "product://7" })).await;
    wire.call("set_price", json!({ "id": 7, "price": 1.5 })).await;
    assert!(wire.is_silent().await);
    let unknown = wire.request("resources/subscribe", json!({ "uri": "nothing://7" })).await;
    assert_eq!(unknown["error"]["code"], -32002);
}

#[tokio::test]
async fn a_subscription_stream_tells_only_what_was_asked_for() {
    let server = server();
    let mut wire = Wire::connect(&server, MODERN).await;
    let filter =
        json!({ "notifications": { "resourceSubscriptions": ["product://7"], "toolsListChanged": true } });
    let id = wire.send("subscriptions/listen", filter).await;
    let accepted = wire.notification("notifications/subscriptions/acknowledged").await;
    assert_eq!(accepted["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], id.as_str());

    wire.call("set_price", json!({ "id": 7, "price": 1.5 })).await;
    let told = wire.notification("notifications/resources/updated").await;
    assert_eq!(told["params"]["uri"], "product://7");
    wire.call("switch", json!({ "on": false })).await;
    wire.notification("notifications/tools/list_changed").await;

    wire.notify("notifications/cancelled", json!({ "requestId": id })).await;
    wire.call("switch", json!({ "on": true })).await;
    assert!(wire.is_silent().await);
}

#[tokio::test]
async fn what_is_switched_off_is_neither_listed_nor_called() {
    let server = server();
    let mut wire = Wire::connect(&server, LEGACY).await;
    wire.call("switch", json!({ "on": false })).await;
    wire.notification("notifications/tools/list_changed").await;
    let tools = wire.result("tools/list", json!({})).await;
    assert!(!tools["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "add"));
    let answer = wire.request("tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 1 } })).await;
    assert_eq!(answer["error"]["code"], -32602);
    wire.call("switch", json!({ "on": true })).await;
    wire.notification("notifications/tools/list_changed").await;
    wire.call("add", json!({ "a": 1, "b": 1 })).await;
}

#[tokio::test]
async fn an_invalidated_result_is_computed_again() {
    let server = server();
    server.call_tool("products", json!({})).await.unwrap();
    assert_eq!(server.call_tool("products", json!({})).await.unwrap().cache.word(), "memory");
    server.call_tool("set_price", json!({ "id": 1, "price": 2.0 })).await.unwrap();
    assert_eq!(server.call_tool("products", json!({})).await.unwrap().cache.word(), "computed");
}

#[tokio::test]
async fn a_resource_is_invalid_by_any_way_to_write_its_uri() {
    let server = server();
    for spelled in ["product://7", "product://07", "product://%37"] {
        server.read_resource(spelled).await.unwrap();
        let word = server.read_resource("product://7").await.unwrap().cache.word();
        assert_eq!(word, "memory", "{spelled}");
        server.cache().unwrap().invalidate_resource("product://7").await;
        assert_eq!(server.read_resource(spelled).await.unwrap().cache.word(), "computed", "{spelled}");
        let read = server.read_resource(spelled).await.unwrap();
        assert_eq!(read.result["contents"][0]["uri"], spelled, "an answer names the URI that was asked for");
        server.cache().unwrap().clear().await;
    }
}

#[tokio::test]
async fn invalidating_by_arguments_is_told_to_subscribers() {
    let server = server();
    let mut wire = Wire::connect(&server, LEGACY).await;
    wire.result("resources/subscribe", json!({ "uri": "product://7" })).await;
    super::components::product::invalidate(&server.cache().unwrap(), 7).await;
    let told = wire.notification("notifications/resources/updated").await;
    assert_eq!(told["params"]["uri"], "product://7");
    super::components::product::invalidate(&server.cache().unwrap(), 8).await;
    assert!(wire.is_silent().await);
}

#[tokio::test]
async fn a_result_that_says_is_error_is_counted_as_one() {
    let server = server();
    server.call_tool("complains", json!({})).await.unwrap();
    assert_eq!(harness::Figures::of(&server, "tool", "complains").outcomes, [("tool_error".to_owned(), 1)]);
}

#[tokio::test]
async fn work_whose_result_cannot_be_written_was_done_all_the_same() {
    let server = server();
    server.call_tool("products", json!({})).await.unwrap();
    assert!(server.call_tool("speechless", json!({})).await.unwrap().is_error());
    assert_eq!(server.call_tool("products", json!({})).await.unwrap().cache.word(), "computed");
}

#[tokio::test]
async fn what_is_switched_off_is_invalidated_too() {
    let server = server();
    server.read_resource("product://07").await.unwrap();
    let switch =
        async |on: bool| server.call_tool("switch", json!({ "on": on, "name": "product" })).await.unwrap();
    switch(false).await;
    assert!(server.read_resource("product://7").await.is_err());
    server.cache().unwrap().invalidate_resource("product://7").await;
    switch(true).await;
    assert_eq!(server.read_resource("product://7").await.unwrap().cache.word(), "computed");
}
