//! Lists, calls, reads, prompts, completion: in every revision.

use harness::{Http, LEGACY, MODERN, REVISIONS, Wire};
use mcp_server::serde_json::{Value, json};

use super::components::server;

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_revision_lists_and_calls() {
    for revision in REVISIONS {
        let server = server();
        let mut wire = Wire::connect(&server, revision).await;
        let tools = wire.result("tools/list", json!({})).await;
        assert!(names(&tools["tools"]).contains(&"add"), "{revision}");
        let result = wire.call("add", json!({ "a": 2, "b": 3 })).await;
        assert_eq!(result["content"], json!([{ "type": "text", "text": "5" }]), "{revision}");
        assert_eq!(result.get("resultType").is_some(), revision == MODERN, "{revision}: {result}");
        for method in ["resources/list", "resources/templates/list", "prompts/list"] {
            wire.result(method, json!({})).await;
        }
    }
}

#[tokio::test]
async fn a_definition_says_what_its_attribute_says() {
    let server = server();
    let mut wire = Wire::connect(&server, MODERN).await;
    let tools = wire.result("tools/list", json!({})).await["tools"].take();
    let tool =
        |name: &str| tools.as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap().clone();

    let add = tool("add");
    assert_eq!(add["title"], "Addition");
    assert_eq!(add["description"], "Adds two numbers.");
    assert_eq!(add["annotations"], json!({ "readOnlyHint": true, "idempotentHint": true }));
    assert_eq!(add["icons"], json!([{ "src": "https://example.com/plus.png" }]));
    assert_eq!(add["inputSchema"]["properties"]["a"]["description"], "The first number.");
    assert_eq!(add["inputSchema"]["required"], json!(["a", "b"]));
    assert_eq!(add["inputSchema"]["additionalProperties"], false);

    let products = tool("products");
    assert_eq!(products["_meta"], json!({ "example.com/cost": 3 }));
    assert_eq!(products["outputSchema"]["type"], "array");
    assert_eq!(
        products["inputSchema"],
        json!({
            "type": "object",
            "properties": {},
            "additionalProperties": false,
        })
    );
    assert!(tool("one_product")["outputSchema"]["properties"].get("id").is_some());
}

#[tokio::test]
async fn a_structured_result_that_is_no_object_is_wrapped_before_2026_07_28() {
    let server = server();
    let expected = json!([{ "id": 7, "name": "hammer" }]);
    let mut modern = Wire::connect(&server, MODERN).await;
    assert_eq!(modern.call("products", json!({})).await["structuredContent"], expected);

    let mut legacy = Wire::connect(&server, LEGACY).await;
    let result = legacy.call("products", json!({})).await;
    assert_eq!(result["structuredContent"], json!({ "result": expected }));
    let tools = legacy.result("tools/list", json!({})).await["tools"].take();
    let products = tools.as_array().unwrap().iter().find(|tool| tool["name"] == "products").unwrap();
    assert_eq!(products["outputSchema"]["properties"]["result"]["type"], "array");
    // The text copy is the same everywhere.
    assert_eq!(result["content"][0]["text"], "[{\"id\":7,\"name\":\"hammer\"}]");
    assert_eq!(legacy.call("one_product", json!({ "id": 1 })).await["structuredContent"]["id"], 1);
}

#[tokio::test]
async fn content_that_a_revision_does_not_know_becomes_text() {
    let kinds = |result: &Value| -> Vec<String> {
        let blocks = result["content"].as_array().unwrap();
        blocks.iter().map(|block| block["type"].as_str().unwrap().to_owned()).collect()
    };
    for (revision, expected) in [
        ("2024-11-05", ["text", "image", "text", "resource", "text"]),
        ("2025-03-26", ["text", "image", "audio", "resource", "text"]),
        ("2025-06-18", ["text", "image", "audio", "resource", "resource_link"]),
        (LEGACY, ["text", "image", "audio", "resource", "resource_link"]),
        (MODERN, ["text", "image", "audio", "resource", "resource_link"]),
    ] {
        let server = server();
        let mut wire = Wire::connect(&server, revision).await;
        assert_eq!(kinds(&wire.call("every_kind", json!({})).await), expected, "{revision}");
    }
}

#[tokio::test]
async fn resources_are_read_with_the_life_that_is_left() {
    let server = server();
    let mut wire = Wire::connect(&server, MODERN).await;
    let read = wire.result("resources/read", json!({ "uri": "product://7" })).await;
    assert_eq!(
        read["contents"],
        json!([{
            "uri": "product://7",
            "mimeType": "application/json",
            "text": "{\"id\":7,\"name\":\"hammer\"}",
        }])
    );
    assert_eq!(read["cacheScope"], "private");
    let left = read["ttlMs"].as_u64().unwrap();
    assert!((50_000..=60_000).contains(&left), "{left}");

    let logo = wire.result("resources/read", json!({ "uri": "test://logo" })).await;
    assert_eq!(logo["contents"][0]["blob"], "iVBORwD/");
    assert_eq!(logo["cacheScope"], "public");
    let terms = wire.result("resources/read", json!({ "uri": "test://terms" })).await;
    assert_eq!((&terms["contents"][0]["text"], &terms["ttlMs"]), (&json!("Be kind."), &json!(0)));

    let mut legacy = Wire::connect(&server, LEGACY).await;
    let read = legacy.result("resources/read", json!({ "uri": "product://7" })).await;
    assert!(read.get("ttlMs").is_none() && read.get("cacheScope").is_none(), "{read}");
}

#[tokio::test]
async fn a_template_lists_its_instances() {
    let server = server();
    let mut wire = Wire::connect(&server, MODERN).await;
    let resources = wire.result("resources/list", json!({})).await["resources"].take();
    assert_eq!(names(&resources), ["logo", "terms", "product 1", "product 2", "product 3"]);
    assert_eq!(
        resources[2],
        json!({
            "uri": "product://1", "name": "product 1", "mimeType": "application/json", "size": 30,
        })
    );
    let templates = wire.result("resources/templates/list", json!({})).await["resourceTemplates"].take();
    assert_eq!(templates[0]["uriTemplate"], "product://{id}");
}

#[tokio::test]
async fn prompts_take_text_and_complete_it() {
    for revision in [LEGACY, MODERN] {
        let server = server();
        let mut wire = Wire::connect(&server, revision).await;
        let prompts = wire.result("prompts/list", json!({})).await["prompts"].take();
        let review = prompts.as_array().unwrap().iter().find(|prompt| prompt["name"] == "review").unwrap();
        assert_eq!(
            review["arguments"],
            json!([
                { "name": "code", "description": "What to review.", "required": true },
                { "name": "language", "description": "What it is written in.", "required": false },
            ])
        );
        let arguments = json!({ "code": "fn main() {}", "language": "rust" });
        let got = wire.result("prompts/get", json!({ "name": "review", "arguments": arguments })).await;
        assert_eq!(got["messages"][0]["content"]["text"], "Review this rust: fn main() {}");
        assert_eq!(got["description"], "Reviews a piece of code.");

        let completion = json!({
            "ref": { "type": "ref/prompt", "name": "review" },
            "argument": { "name": "language", "value": "ru" },
        });
        let completed = wire.result("completion/complete", completion).await;
        assert_eq!(
            completed["completion"],
            json!({ "values": ["rust", "ruby"], "total": 2, "hasMore": false })
        );
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    for revision in [LEGACY, MODERN] {
        let server = server().page_size(5);
        let mut wire = Wire::connect(&server, revision).await;
        let (mut seen, mut cursor, mut pages) = (Vec::new(), Value::Null, 0);
        loop {
            let params = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
            let mut page = wire.result("tools/list", params).await;
            seen.extend(names(&page["tools"]).into_iter().map(ToOwned::to_owned));
            pages += 1;
            cursor = page["nextCursor"].take();
            if cursor.is_null() {
                break;
            }
        }
        let all = wire.result("tools/list", json!({ "cursor": "after-0" })).await;
        assert_eq!((seen.len(), pages), (15, 3));
        assert!(seen.is_sorted() && names(&all["tools"]).len() == 5);
        let answer = wire.request("tools/list", json!({ "cursor": "nonsense" })).await;
        assert_eq!(answer["error"]["code"], -32602);
    }
}

#[tokio::test]
async fn http_serves_both_eras_at_one_address() {
    let http = Http::serve(server()).await;
    let modern = http.request("tools/call", json!({ "name": "add", "arguments": { "a": 2, "b": 3 } })).await;
    assert_eq!((modern.status, &modern.result()["content"][0]["text"]), (200, &json!("5")));
    let discovered = http.request("server/discover", json!({})).await;
    assert!(discovered.result()["supportedVersions"].as_array().unwrap().contains(&json!(MODERN)));

    let session = http.initialize(&json!({})).await;
    let legacy = http
        .request_in(&session, "tools/call", json!({ "name": "add", "arguments": { "a": 2, "b": 3 } }))
        .await;
    assert_eq!(legacy.result()["content"][0]["text"], "5");
    assert_eq!((http.get("/healthz").await.status, http.get("/readyz").await.status), (200, 200));
    assert_eq!(http.get("/nothing").await.status, 404);
}

#[tokio::test]
async fn the_handshake_tells_who_serves() {
    let server = server();
    let mut wire = Wire::open(&server, LEGACY, json!({}));
    let hello = json!({
        "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": { "name": "harness", "version": "1" },
    });
    let answer = wire.result("initialize", hello).await;
    assert_eq!(answer["serverInfo"], json!({ "name": "protocol-tests", "version": "1.2.3" }));
    assert_eq!(answer["instructions"], "For tests.");
    let capabilities = &answer["capabilities"];
    for capability in ["tools", "resources", "prompts", "completions", "logging"] {
        assert!(capabilities.get(capability).is_some(), "{capability}");
    }
    assert_eq!(capabilities["resources"]["subscribe"], true);
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_before_it_serves_does_not() {
    let server = server();
    server.stop();
    let listener = mcp_server::tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let served =
        mcp_server::tokio::time::timeout(std::time::Duration::from_secs(10), server.serve_listener(listener));
    served.await.expect("it ends at once").unwrap();
}
