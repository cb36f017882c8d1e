//! The bugs that caches of other MCP servers had, one test each.

use harness::{Http, MODERN, REVISIONS, Wire};
use mcp_server::Identity;
use mcp_server::serde_json::{Value, json};

use super::lab::{Bench, Does, SECOND, server};

/// fastmcp#4037: the first caller's results were served to others.
#[tokio::test]
async fn peers_the_first_caller_s_result_is_not_served_to_others() {
    let (server, lab, _) = server(|config| {
        config.auth_tokens = vec![("ann".into(), "a".into()), ("bob".into(), "b".into())];
    });
    let http = Http::serve(server).await;
    for (token, name) in [("a", "ann"), ("b", "bob"), ("a", "ann")] {
        let call = json!({ "name": "mine", "arguments": { "id": "x" } });
        let reply = http.with_token(token).request("tools/call", call).await;
        let text = reply.result()["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(&format!("Some({name:?})")), "{text}");
    }
    assert_eq!(lab.runs("x"), 2);
}

/// fastmcp: keyed by the access token, each refresh of it started cold.
#[tokio::test]
async fn peers_a_refreshed_token_of_the_same_caller_finds_its_results() {
    let bench = Bench::new();
    for way in ["computed", "memory"] {
        let who = Identity::new("issuer", "ann").with_scopes(["read"]);
        assert!(bench.tool_as(&who, "mine", "x").await.starts_with(way));
    }
}

/// fastmcp#4395, mcp-proxy: results with `isError` were kept.
#[tokio::test]
async fn peers_errors_are_not_kept() {
    for revision in REVISIONS {
        let bench = Bench::new();
        let mut wire = Wire::connect(&bench.server, revision).await;
        for (does, run) in [(Does::IsError, 1), (Does::Fail, 2), (Does::Count, 3)] {
            bench.lab.set("plain:a", does);
            wire.call("plain", json!({ "id": "a" })).await;
            assert_eq!(bench.lab.runs("plain:a"), run, "{revision}");
        }
        assert_eq!(bench.stats().stored, 1);
    }
}

/// fastmcp#4947: the key ignored the version of the component. Ours holds the schemas as well.
#[tokio::test]
async fn peers_a_new_version_or_schema_is_a_new_key() {
    let bench = Bench::new();
    let key = |version, schema| bench.cache().key("tool/x", version, schema).finish().unwrap();
    assert_ne!(key(1, 1), key(2, 1));
    assert_ne!(key(1, 1), key(1, 2));
    assert_eq!(super::components::renewed::def().cache.unwrap().version, 2);
}

/// fastmcp#5178: binary content became text on its second read, or failed.
#[tokio::test]
async fn peers_binary_content_is_the_same_on_the_second_read() {
    for revision in REVISIONS {
        let bench = Bench::new();
        let mut wire = Wire::connect(&bench.server, revision).await;
        for _ in 0..3 {
            let mut read = wire.result("resources/read", json!({ "uri": "lab://kind/blob" })).await;
            let expected = json!({
                "uri": "lab://kind/blob", "mimeType": "image/png", "blob": "iVBORw0KGgoA/w==",
            });
            assert_eq!(read["contents"][0].take(), expected, "{revision}");
            let image = wire.call("kind_image", json!({})).await;
            let expected = json!({ "type": "image", "mimeType": "image/png", "data": "iVBORw0KGgoA/w==" });
            assert_eq!(image["content"][0], expected, "{revision}");
        }
        assert_eq!(bench.stats().memory, 4);
    }
}

/// fastmcp#4455: icons and metadata were lost from lists that came from the cache.
#[tokio::test]
async fn peers_lists_are_the_same_the_second_time() {
    for revision in REVISIONS {
        let bench = Bench::new();
        let mut wire = Wire::connect(&bench.server, revision).await;
        for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
            let first = wire.result(method, json!({})).await;
            assert_eq!(wire.result(method, json!({})).await, first, "{revision} {method}");
        }
        let tools = wire.result("tools/list", json!({})).await;
        let tool =
            tools["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == "decorated").unwrap();
        assert_eq!(tool["icons"], json!([{ "src": "https://example.com/i.png" }]), "{revision}");
        assert_eq!(tool["_meta"], json!({ "lab/cost": 3 }), "{revision}");
        assert_eq!(tool["title"], "Decorated", "{revision}");
        assert!(!tools.to_string().contains("\"blocked\""), "a hidden tool is not listed");
    }
}

/// fastmcp#4461: one client got the form that another had asked for.
#[tokio::test]
async fn peers_each_revision_gets_its_own_form_of_one_result() {
    let bench = Bench::new();
    for (revision, structured) in
        [(MODERN, true), ("2024-11-05", false), ("2025-11-25", true), (MODERN, true)]
    {
        let mut wire = Wire::connect(&bench.server, revision).await;
        let result = wire.call("kind_json_list", json!({})).await;
        assert_eq!(result.get("structuredContent").is_some(), structured, "{revision}");
        assert_eq!(result.get("resultType").is_some(), revision == MODERN, "{revision}");
        assert_eq!(result["structuredContent"].is_array(), revision == MODERN, "{revision}");
    }
    assert_eq!((bench.stats().computed, bench.stats().memory), (1, 3));
}

/// fastmcp: an empty list was taken for a miss.
#[tokio::test]
async fn peers_an_empty_result_is_a_result() {
    let bench = Bench::new();
    for (what, run) in [
        ("tool nothing", "nothing:a"),
        ("tool no_blocks", "no_blocks:a"),
        ("tool no_rows", "no_rows:a"),
        ("resource lab://empty", "no_parts:a"),
    ] {
        for way in ["computed: ", "memory: ", "memory: "] {
            let told = bench.any(what, "a").await;
            assert!(told.starts_with(way), "{what}: {told}");
        }
        assert_eq!(bench.lab.runs(run), 1, "{what}");
    }
    bench.lab.set("plain:a", Does::Say(String::new()));
    assert_eq!(bench.tool("plain", "a").await, "computed: ");
    assert_eq!(bench.tool("plain", "a").await, "memory: ");
}

/// fastmcp, mcp-proxy: the question of a first round was kept and asked of everybody.
#[tokio::test]
async fn peers_a_question_is_not_kept() {
    let bench = Bench::new();
    let mut wire = Wire::connect_with(&bench.server, MODERN, json!({ "elicitation": {} })).await;
    let call = json!({ "name": "confirm", "arguments": { "id": "a" } });
    let asked = wire.result("tools/call", call.clone()).await;
    assert_eq!(asked["resultType"], "input_required");
    assert_eq!(bench.stats().entries, 0);
    // A client that cannot be asked is told so, and not given the other's question.
    let mut other = Wire::connect(&bench.server, MODERN).await;
    let answer = other.request("tools/call", call).await;
    assert_eq!(answer["error"]["code"], -32021, "{answer}");
}

/// FrontMCP: keys were joined with delimiters and without types.
#[tokio::test]
async fn peers_arguments_cannot_be_steered_into_another_key() {
    let bench = Bench::new();
    let calls: [(&str, Value); 12] = [
        ("typed", json!({ "a": "1;b:2" })),
        ("typed", json!({ "a": "1", "b": "2" })),
        ("typed", json!({ "a": "1\",\"b\":\"2" })),
        ("typed", json!({ "a": "1\u{0}b\u{0}2" })),
        ("dynamic", json!({ "value": { "a": "1;b:2" } })),
        ("dynamic", json!({ "value": { "a": "1", "b": "2" } })),
        ("dynamic", json!({ "value": { "id": 1 } })),
        ("dynamic", json!({ "value": { "id": "1" } })),
        ("dynamic", json!({ "value": { "id": [1] } })),
        ("dynamic", json!({ "value": { "id": true } })),
        ("dynamic", json!({ "value": { "id": "true" } })),
        ("dynamic", json!({ "value": "{\"id\":1}" })),
    ];
    for way in ["computed: ", "memory: "] {
        for (name, arguments) in &calls {
            let told = bench.call(name, arguments.clone()).await;
            assert!(told.starts_with(way), "{name} {arguments}: {told}");
        }
    }
}

/// mcp-proxy: after the leader was cancelled, later callers of its key waited for ever.
#[tokio::test]
async fn peers_a_cancelled_leader_leaves_nobody_waiting() {
    let bench = Bench::new();
    bench.lab.set("plain:a", Does::Hang);
    let gate = bench.lab.close("plain:a");
    let leader = bench.spawn("plain", "a");
    gate.entered().await;
    leader.abort();
    assert!(leader.await.is_err());
    let later = bench.spawn("plain", "a");
    bench.until(|stats| stats.joined == 1).await;
    // Even where the function itself never ends, an invalidation sets later callers free.
    bench.lab.set("plain:a", Does::Count);
    gate.open();
    bench.cache().clear().await;
    let told = tokio::time::timeout(20 * SECOND, bench.tool("plain", "a")).await;
    assert_eq!(told.expect("nobody waits"), "computed: plain:a#2");
    later.abort();
}

/// tower-mcp#329: each session had a cache of its own.
#[tokio::test]
async fn peers_sessions_share_one_cache() {
    let (server, lab, _) = server(|_| {});
    let http = Http::serve(server).await;
    for _ in 0..3 {
        let session = http.initialize(&json!({})).await;
        let call = json!({ "name": "plain", "arguments": { "id": "a" } });
        let reply = http.request_in(&session, "tools/call", call).await;
        assert_eq!(reply.result()["content"][0]["text"], "plain:a#1");
    }
    let call = json!({ "name": "plain", "arguments": { "id": "a" } });
    assert_eq!(http.request("tools/call", call).await.result()["content"][0]["text"], "plain:a#1");
    assert_eq!(lab.runs("plain:a"), 1);
}
