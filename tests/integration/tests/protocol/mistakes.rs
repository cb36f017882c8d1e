//! Bad input of every kind gets an answer that says what to do, and harms nobody else.

use harness::{Http, LEGACY, MODERN, Wire};
use mcp_server::serde_json::{Value, json};
use mcp_server::{Config, Server};

use super::components::server;

#[tokio::test]
async fn wrong_arguments_are_results_that_a_model_can_act_on() {
    for revision in [LEGACY, MODERN] {
        let server = server();
        let mut wire = Wire::connect(&server, revision).await;
        for (arguments, expected) in [
            (json!({ "a": 1 }), "missing field `b`; it takes `a` (integer), `b` (integer)"),
            (json!({ "a": 1, "b": 2, "c": 3 }), "unknown field `c`, expected `a` or `b`"),
            (json!({ "a": 1, "b": "two" }), "invalid type: string \"two\", expected i64"),
            (json!({ "a": 1, "b": 1e300 }), "expected i64"),
        ] {
            let result = wire.call("add", arguments).await;
            let text = result["content"][0]["text"].as_str().unwrap();
            assert!(result["isError"] == true && text.contains(expected), "{text}");
        }
    }
}

#[tokio::test]
async fn failures_say_as_much_as_they_may() {
    for revision in [LEGACY, MODERN] {
        let server = server();
        let mut wire = Wire::connect(&server, revision).await;
        let shown = wire.call("fail", json!({ "how": "shown" })).await;
        assert_eq!(
            (&shown["isError"], &shown["content"][0]["text"]),
            (&json!(true), &json!("the printer is out of paper"))
        );
        let hidden = wire.call("fail", json!({ "how": "hidden" })).await;
        let text = hidden["content"][0]["text"].as_str().unwrap();
        assert!(hidden["isError"] == true && text.contains("(id ") && !text.contains("digit"), "{text}");
        let panicked =
            wire.request("tools/call", json!({ "name": "fail", "arguments": { "how": "panic" } })).await;
        assert_eq!(panicked["error"]["code"], -32603);
        assert!(!panicked.to_string().contains("as told"), "{panicked}");
        // Nobody else notices.
        assert_eq!(wire.call("fail", json!({ "how": "not" })).await["content"][0]["text"], "it did not");
        let timed_out = wire.call("too_slow", json!({})).await;
        assert_eq!(timed_out["content"][0]["text"], "`too_slow` took longer than 50ms and was ended");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_an_error_of_the_protocol() {
    for (revision, not_found) in [(LEGACY, -32002), (MODERN, -32602)] {
        let server = server();
        let mut wire = Wire::connect(&server, revision).await;
        let error = async |wire: &mut Wire, method: &str, params: Value| {
            wire.request(method, params).await["error"].take()
        };
        assert_eq!(error(&mut wire, "tools/call", json!({ "name": "nothing" })).await["code"], -32602);
        assert_eq!(error(&mut wire, "prompts/get", json!({ "name": "nothing" })).await["code"], -32602);
        assert_eq!(error(&mut wire, "nothing/at/all", json!({})).await["code"], -32601);
        for uri in ["nothing://1", "product://404"] {
            let error = error(&mut wire, "resources/read", json!({ "uri": uri })).await;
            assert_eq!((&error["code"], &error["data"]["uri"]), (&json!(not_found), &json!(uri)), "{error}");
        }
        let bad = error(&mut wire, "resources/read", json!({ "uri": "product://seven" })).await;
        assert_eq!(bad["code"], -32602);
        assert!(bad["message"].as_str().unwrap().contains("`id` is `seven`: write a whole number"), "{bad}");
        let bad = error(&mut wire, "prompts/get", json!({ "name": "review" })).await;
        assert!(bad["message"].as_str().unwrap().contains("missing field `code`"), "{bad}");
        let bad = error(&mut wire, "tools/call", json!({ "arguments": 5 })).await;
        assert_eq!(bad["code"], -32602, "{bad}");
        let completion = json!({ "ref": { "type": "ref/prompt", "name": "review" }, "argument": { "name": "x", "value": "" } });
        assert!(
            error(&mut wire, "completion/complete", completion).await["message"]
                .as_str()
                .unwrap()
                .contains("`code`")
        );
    }
}

#[tokio::test]
async fn lines_that_are_no_messages_do_not_end_the_connection() {
    let server = server();
    let mut wire = Wire::connect(&server, LEGACY).await;
    for line in [
        "",
        "{",
        "[]",
        "null",
        "\"text\"",
        "{\"jsonrpc\":\"1.0\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":{}}",
        "\u{0}",
    ] {
        wire.send_raw(line).await;
    }
    wire.send_raw(&format!("{}{}", "[".repeat(20_000), "]".repeat(20_000))).await;
    assert_eq!(wire.call("add", json!({ "a": 1, "b": 1 })).await["content"][0]["text"], "2");
}

#[tokio::test]
async fn a_result_beyond_the_limit_is_refused_in_words() {
    let mut config = Config::default();
    config.max_response_size = 40;
    let server = server().config(config);
    let called = server.call_tool("products", json!({})).await.unwrap();
    assert!(called.is_error() && called.text().contains("MCP_MAX_RESPONSE_SIZE"), "{}", called.text());
}

#[tokio::test]
async fn tokens_tell_callers_apart_and_strangers_away() {
    let mut config = Config::default();
    config.auth_tokens = vec![("alice".into(), "a-token".into()), ("bob".into(), "b-token".into())];
    let http = Http::serve(server().config(config)).await;
    let call = json!({ "name": "add", "arguments": { "a": 1, "b": 1 } });
    let unknown = r#"Bearer error="invalid_token", error_description="unknown token""#;
    for (stranger, challenge) in [("x-token", unknown), ("", "Bearer"), ("a-token2", unknown)] {
        let reply = http.with_token(stranger).request("tools/call", call.clone()).await;
        assert_eq!((reply.status, &reply.headers["www-authenticate"]), (401, &challenge.parse().unwrap()));
    }
    assert_eq!(http.request("tools/call", call.clone()).await.status, 401);
    let alice = http.with_token("a-token");
    assert_eq!(alice.request("tools/call", call.clone()).await.status, 200);
    assert_eq!(http.get("/healthz").await.status, 200);

    // A session belongs to who opened it.
    let session = alice.initialize(&json!({})).await;
    assert_eq!(alice.request_in(&session, "tools/call", call.clone()).await.status, 200);
    let bob = http.with_token("b-token");
    assert_eq!(bob.request_in(&session, "tools/call", call).await.status, 404);
}

#[tokio::test]
async fn pages_from_elsewhere_may_not_call() {
    let http = Http::serve(server()).await;
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} }).to_string();
    for (name, value, expected) in [
        ("origin", "https://evil.example", 403),
        ("host", "evil.example", 403),
        ("origin", "http://localhost:6274", 400),
    ] {
        // 400: let in, and then told that the message lacks its `_meta`.
        let reply =
            http.post(&body, &[(name, value.to_owned()), ("mcp-protocol-version", MODERN.to_owned())]).await;
        assert_eq!(reply.status, expected, "{name}: {value}: {}", reply.text);
    }
}

#[tokio::test]
async fn mistakes_of_the_components_are_told_at_the_start_with_their_places() {
    mod twice {
        use mcp_server::prelude::*;

        /// Has the name of another.
        #[tool(name = "add")]
        pub fn other() {}

        /// Wants what nobody provides.
        #[tool]
        pub fn wants(_value: Dep<std::sync::atomic::AtomicU8>) {}
    }

    let doubled = Server::builder()
        .config(Config::default())
        .tool(super::components::add::def())
        .tool(twice::other::def());
    let error = doubled.call_tool("add", json!({})).await.unwrap_err().to_string();
    assert!(error.contains("two tools are named `add`"), "{error}");
    assert!(error.contains("components.rs:") && error.contains("mistakes.rs:"), "{error}");

    let lacking = Server::builder().config(Config::default()).tool(twice::wants::def());
    let error = lacking.call_tool("wants", json!({})).await.unwrap_err().to_string();
    assert!(error.contains("AtomicU8") && error.contains("#[provider]"), "{error}");
}

#[tokio::test]
async fn a_page_whose_origin_is_allowed_may_read_the_answer() {
    let mut config = Config::default();
    config.allowed_origins = vec!["https://app.example:443".into(), "https://Other.example".into()];
    let http = Http::serve(server().config(config)).await;
    for (origin, allowed) in [
        ("https://app.example", true),
        ("http://localhost:6274", true),
        ("https://other.example", true),
        ("https://other.example:8443", false),
        ("https://app.example.evil.example", false),
        ("http://localhost.evil.example", false),
    ] {
        let asked = http.preflight(origin).await;
        let expected = allowed.then_some(origin);
        assert_eq!(
            asked.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap()),
            expected
        );
        assert_eq!(asked.headers.contains_key("access-control-allow-headers"), allowed, "{origin}");
    }
}

#[tokio::test]
async fn a_panic_while_arguments_are_read_is_an_error_of_that_call() {
    let server = server();
    let mut wire = Wire::connect(&server, LEGACY).await;
    let answer =
        wire.request("tools/call", json!({ "name": "touchy", "arguments": { "value": "panic" } })).await;
    assert_eq!(answer["error"]["code"], -32603);
    assert_eq!(wire.call("touchy", json!({ "value": "fine" })).await["content"][0]["text"], "fine");
}

#[tokio::test]
async fn a_uri_beyond_any_measure_is_refused_at_once() {
    let server = server();
    let mut wire = Wire::connect(&server, LEGACY).await;
    let uri = format!("product://{}?", "a".repeat(1 << 20));
    let answer = wire.request("resources/read", json!({ "uri": uri })).await;
    assert_eq!(answer["error"]["code"], -32002);
}
