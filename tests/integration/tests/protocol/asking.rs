//! Progress, log messages, cancellation, and questions to the client, on both eras.

use harness::{Http, LEGACY, MODERN, Wire};
use mcp_server::serde_json::{Value, json};

use super::components::server;

fn can() -> Value {
    json!({ "elicitation": {}, "sampling": {}, "roots": {} })
}

fn answer(method: &str, _params: &Value) -> Value {
    match method {
        "elicitation/create" => json!({ "action": "accept", "content": { "name": "Ada" } }),
        "sampling/createMessage" => json!({
            "role": "assistant", "content": { "type": "text", "text": "Why?" }, "model": "m", "stopReason": "endTurn",
        }),
        _ => json!({ "roots": [{ "uri": "file:///home", "name": "home" }] }),
    }
}

#[tokio::test]
async fn a_session_asks_with_requests_of_its_own() {
    let server = server();
    let mut wire = Wire::connect_with(&server, LEGACY, can()).await.answering(answer);
    assert_eq!(wire.call("greet", json!({})).await["content"][0]["text"], "Hello, Ada!");
    assert_eq!(wire.asked[0]["params"]["requestedSchema"]["properties"]["name"]["type"], "string");
    let result = wire.call("interview", json!({ "topic": "sheep" })).await;
    assert_eq!(result["content"][0]["text"], "Ada on sheep: Why? (1 roots)");
    assert_eq!(wire.asked.len(), 4);
}

#[tokio::test]
async fn the_newest_revision_asks_in_rounds_and_runs_again() {
    let server = server();
    let mut wire = Wire::connect_with(&server, MODERN, can()).await;
    let call = |state: Value, responses: Value| {
        let mut params = json!({ "name": "interview", "arguments": { "topic": "sheep" } });
        if !state.is_null() {
            params["requestState"] = state;
            params["inputResponses"] = responses;
        }
        params
    };
    let first = wire.result("tools/call", call(Value::Null, Value::Null)).await;
    assert_eq!(first["resultType"], "input_required");
    let keys: Vec<_> = first["inputRequests"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys.len(), 1);
    let answers = json!({ &keys[0]: answer("elicitation/create", &Value::Null) });

    let second = wire.result("tools/call", call(first["requestState"].clone(), answers)).await;
    let asked = second["inputRequests"].as_object().unwrap();
    assert_eq!(asked.len(), 2, "what is asked side by side makes one round: {second}");
    let answers: Value = asked
        .iter()
        .map(|(key, request)| (key.clone(), answer(request["method"].as_str().unwrap(), &Value::Null)))
        .collect::<mcp_server::serde_json::Map<_, _>>()
        .into();

    let last = wire.result("tools/call", call(second["requestState"].clone(), answers.clone())).await;
    assert_eq!(last["content"][0]["text"], "Ada on sheep: Why? (1 roots)");

    // A state belongs to its call and cannot be changed.
    let mut other = call(second["requestState"].clone(), answers.clone());
    other["arguments"]["topic"] = json!("goats");
    assert_eq!(wire.request("tools/call", other).await["error"]["code"], -32602);
    let forged = json!(format!("{}x", second["requestState"].as_str().unwrap()));
    assert_eq!(wire.request("tools/call", call(forged, answers)).await["error"]["code"], -32602);
}

#[tokio::test]
async fn an_answer_that_is_none_is_asked_for_again() {
    let server = server();
    let mut wire = Wire::connect_with(&server, MODERN, can()).await;
    let first = wire.result("tools/call", json!({ "name": "greet", "arguments": {} })).await;
    let key = first["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    for nonsense in [json!(5), json!({}), json!({ "action": "accept", "content": { "name": 7 } })] {
        let again = json!({
            "name": "greet", "arguments": {}, "requestState": first["requestState"], "inputResponses": { &key: nonsense },
        });
        assert_eq!(wire.result("tools/call", again).await["resultType"], "input_required");
    }
    let declined = json!({
        "name": "greet", "arguments": {}, "requestState": first["requestState"],
        "inputResponses": { &key: { "action": "decline" } },
    });
    assert_eq!(wire.result("tools/call", declined).await["content"][0]["text"], "Hello, whoever you are!");
}

#[tokio::test]
async fn prompts_ask_as_well() {
    let server = server();
    let mut wire = Wire::connect_with(&server, MODERN, can()).await;
    let first = wire.result("prompts/get", json!({ "name": "ask_first" })).await;
    let key = first["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    let again = json!({
        "name": "ask_first",
        "requestState": first["requestState"],
        "inputResponses": { &key: answer("elicitation/create", &Value::Null) },
    });
    let got = wire.result("prompts/get", again).await;
    assert_eq!(got["messages"][0]["content"]["text"], "Write a poem for Ada.");
}

#[tokio::test]
async fn a_client_without_the_capability_is_told_which_it_lacks() {
    let http = Http::serve(server()).await;
    let reply = http.request("tools/call", json!({ "name": "greet", "arguments": {} })).await;
    assert_eq!((reply.status, &reply.answer()["error"]["code"]), (400, &json!(-32021)));
    assert_eq!(reply.answer()["error"]["data"]["requiredCapabilities"], json!({ "elicitation": {} }));

    let server = server();
    let mut legacy = Wire::connect(&server, LEGACY).await;
    let result = legacy.call("greet", json!({})).await;
    assert_eq!(result["isError"], true);
    assert!(result["content"][0]["text"].as_str().unwrap().contains("elicitation/create"));
}

#[tokio::test]
async fn progress_goes_to_those_who_ask_for_it() {
    for revision in [LEGACY, MODERN] {
        let server = server();
        let mut wire = Wire::connect(&server, revision).await;
        let params =
            json!({ "name": "slow", "arguments": { "steps": 3 }, "_meta": { "progressToken": "p1" } });
        wire.result("tools/call", params).await;
        let reports: Vec<_> = wire
            .notifications
            .iter()
            .filter(|message| message["method"] == "notifications/progress")
            .collect();
        assert_eq!(reports.len(), 3, "{revision}");
        assert_eq!(reports[2]["params"]["progress"], 3.0);
        assert_eq!(reports[2]["params"]["total"], 3.0);
        wire.notifications.clear();
        wire.call("slow", json!({ "steps": 2 })).await;
        assert!(!wire.notifications.iter().any(|message| message["method"] == "notifications/progress"));
    }
}

#[tokio::test]
async fn log_messages_have_the_level_that_the_client_wants() {
    let messages = |wire: &Wire| {
        wire.notifications.iter().filter(|message| message["method"] == "notifications/message").count()
    };
    let server = server();
    let mut legacy = Wire::connect(&server, LEGACY).await;
    legacy.call("slow", json!({ "steps": 2 })).await;
    assert_eq!(messages(&legacy), 2);
    legacy.result("logging/setLevel", json!({ "level": "warning" })).await;
    legacy.call("slow", json!({ "steps": 2 })).await;
    assert_eq!(messages(&legacy), 2);

    let mut modern = Wire::connect(&server, MODERN).await;
    modern.call("slow", json!({ "steps": 2 })).await;
    assert_eq!(messages(&modern), 0, "no level, no messages");
    let wanted = json!({
        "name": "slow", "arguments": { "steps": 2 }, "_meta": { "io.modelcontextprotocol/logLevel": "debug" },
    });
    modern.result("tools/call", wanted).await;
    assert_eq!(messages(&modern), 2);
}

#[tokio::test]
async fn a_cancelled_call_ends_and_answers_nothing() {
    for revision in [LEGACY, MODERN] {
        let server = server();
        let mut wire = Wire::connect(&server, revision).await;
        let id = wire.send("tools/call", json!({ "name": "endless", "arguments": {} })).await;
        // The next answer shows that the call has begun.
        wire.call("add", json!({ "a": 1, "b": 1 })).await;
        wire.notify("notifications/cancelled", json!({ "requestId": id, "reason": "enough" })).await;
        assert!(wire.is_silent().await, "{revision}");
        let endless = harness::Figures::of(&server, "tool", "endless");
        assert_eq!(endless.outcomes, [("cancelled".to_owned(), 1)], "{revision}");
    }
}
