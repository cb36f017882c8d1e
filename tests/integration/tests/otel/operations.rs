//! Names, attributes and status of each operation, over every way.

use mcp_server::serde_json::{Value, json};
use mcp_server::tokio;

use super::components::{config, server};
use super::lab::{Attributes, Client, Way, attributes, error, lab, pairs, until};

/// A request, and what is to be seen of it.
struct Case {
    method: &'static str,
    params: Value,
    /// The name of its span.
    name: &'static str,
    attributes: &'static [(&'static str, &'static str)],
    /// How the description of its status begins, where it is an error.
    error: Option<&'static str>,
}

const TOOL: (&str, &str) = ("gen_ai.operation.name", "execute_tool");

fn cases() -> Vec<Case> {
    let case = |method, params, name, attributes, error| Case { method, params, name, attributes, error };
    let call = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments });
    vec![
        case(
            "tools/call",
            call("add", json!({ "a": 2, "b": 3 })),
            "tools/call add",
            &[TOOL, ("gen_ai.tool.name", "add")],
            None,
        ),
        case(
            "tools/call",
            call("add", json!({ "a": "two", "b": 3 })),
            "tools/call add",
            &[TOOL, ("gen_ai.tool.name", "add"), ("error.type", "tool_error")],
            Some(""),
        ),
        case(
            "tools/call",
            call("refuse", json!({ "text": "x" })),
            "tools/call refuse",
            &[TOOL, ("gen_ai.tool.name", "refuse"), ("error.type", "tool_error")],
            Some(""),
        ),
        case(
            "tools/call",
            call("explode", json!({ "text": "x" })),
            "tools/call explode",
            &[
                TOOL,
                ("gen_ai.tool.name", "explode"),
                ("error.type", "-32603"),
                ("rpc.response.status_code", "-32603"),
            ],
            Some("internal error (id "),
        ),
        case(
            "tools/call",
            call("made up", json!({})),
            "tools/call _OTHER",
            &[TOOL, ("gen_ai.tool.name", "_OTHER"), ("rpc.response.status_code", "-32602")],
            None,
        ),
        case(
            "prompts/get",
            call("greet", json!({ "name": "Ada" })),
            "prompts/get greet",
            &[("gen_ai.prompt.name", "greet")],
            None,
        ),
        case(
            "prompts/get",
            call("greet", json!({})),
            "prompts/get greet",
            &[("gen_ai.prompt.name", "greet"), ("rpc.response.status_code", "-32602")],
            None,
        ),
        case(
            "prompts/get",
            call("made up", json!({})),
            "prompts/get _OTHER",
            &[("gen_ai.prompt.name", "_OTHER"), ("rpc.response.status_code", "-32602")],
            None,
        ),
        case(
            "resources/read",
            json!({ "uri": "otel://product/7" }),
            "resources/read",
            &[("mcp.resource.uri", "otel://product/7")],
            None,
        ),
        case(
            "resources/read",
            json!({ "uri": "otel://broken" }),
            "resources/read",
            &[
                ("mcp.resource.uri", "otel://broken"),
                ("error.type", "-32603"),
                ("rpc.response.status_code", "-32603"),
            ],
            Some("internal error (id "),
        ),
        case("tools/list", json!({}), "tools/list", &[], None),
        case("resources/templates/list", json!({}), "resources/templates/list", &[], None),
        case("made/up", json!({}), "_OTHER", &[("rpc.response.status_code", "-32601")], None),
    ]
}

/// Returns what each span of a way has, whatever was asked.
fn common(way: Way) -> Attributes {
    let mut common = pairs(&[("mcp.protocol.version", way.revision)]);
    common.extend(match way.http {
        false => pairs(&[("network.transport", "pipe")]),
        true => pairs(&[
            ("network.transport", "tcp"),
            ("network.protocol.name", "http"),
            ("network.protocol.version", "1.1"),
        ]),
    });
    common
}

#[tokio::test]
async fn each_operation_is_told_as_the_conventions_have_it() {
    let lab = lab().await;
    for way in Way::all() {
        let mut client = Client::of(way, server(config(way.direct))).await;
        for case in cases() {
            lab.empty();
            let (id, answer) = client.request(case.method, case.params.clone()).await;

            let method = if case.name == "_OTHER" { "_OTHER" } else { case.method };
            let span = lab.operation(method);
            assert_eq!(span.name, case.name, "{way:?}");
            let mut expected = common(way);
            expected.extend(pairs(case.attributes));
            expected.insert("mcp.method.name".to_owned(), method.to_owned());
            let mut of_metric = expected.clone();
            expected.insert("jsonrpc.request.id".to_owned(), id);
            let mut found = attributes(&span.attributes);
            if way.http {
                assert_eq!(found.remove("client.address").as_deref(), Some("127.0.0.1"));
                assert!(found.remove("client.port").unwrap().parse::<u16>().is_ok());
            }
            expected
                .extend(client.session().map(|session| ("mcp.session.id".to_owned(), session.to_owned())));
            assert_eq!(found, expected, "{way:?}: {answer}");
            match (error(&span), case.error) {
                (Some(description), Some(begin)) if !begin.is_empty() => {
                    assert!(description.starts_with(begin), "{description}");
                    // The words of the answer.
                    assert_eq!(answer["error"]["message"], description);
                }
                (found, expected) => assert_eq!(found.as_deref(), expected, "{way:?}: {answer}"),
            }
            assert!(span.events.is_empty() && span.links.is_empty());

            of_metric.remove("mcp.resource.uri");
            let durations: Vec<_> = lab
                .durations()
                .into_iter()
                .filter(|(attributes, _)| attributes["mcp.method.name"] == method)
                .collect();
            assert_eq!(durations, [(of_metric, 1)], "{way:?}");
        }
    }
}

#[tokio::test]
async fn a_handshake_is_told_in_the_revision_it_settles_on() {
    let lab = lab().await;
    for way in Way::all().into_iter().filter(|way| way.revision != harness::MODERN) {
        lab.empty();
        let _client = Client::of(way, server(config(way.direct))).await;
        let ended = |method: &str| {
            let spans = lab.spans();
            spans.into_iter().find(|span| span.name == method)
        };
        until("the handshake is told", || ended("notifications/initialized").is_some()).await;
        let hello = attributes(&ended("initialize").unwrap().attributes);
        assert_eq!(hello["mcp.protocol.version"], way.revision);
        assert!(hello.contains_key("jsonrpc.request.id") && !hello.contains_key("mcp.session.id"));
        let mut ready = attributes(&ended("notifications/initialized").unwrap().attributes);
        ready.retain(|name, _| !name.starts_with("client."));
        let mut expected = common(way);
        expected.insert("mcp.method.name".to_owned(), "notifications/initialized".to_owned());
        expected.extend(ready.get_key_value("mcp.session.id").map(|(name, id)| (name.clone(), id.clone())));
        assert_eq!(ready, expected);
        assert_eq!(ready.contains_key("mcp.session.id"), way.http);
    }
}

#[tokio::test]
async fn what_rmcp_refuses_itself_is_told() {
    let lab = lab().await;
    let mut client =
        Client::of(Way { http: false, revision: harness::MODERN, direct: true }, server(config(true))).await;
    // What comes before any other message to it, rmcp answers before it has its handler.
    client.request("made/up", json!({})).await;
    client.request("ping", json!({})).await;
    let span = attributes(&lab.operation("ping").attributes);
    assert_eq!(span["rpc.response.status_code"], "-32601");

    let http = harness::Http::serve(server(config(true))).await;
    for (body, method, code) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"#, "_OTHER", "-32700"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{}}}"#, "tools/list", "-32602"),
    ] {
        lab.empty();
        let headers =
            [("mcp-protocol-version", harness::MODERN.to_owned()), ("mcp-method", "tools/list".to_owned())];
        let reply = http.post(body, &headers).await;
        let span = lab.operation(method);
        assert_eq!(attributes(&span.attributes)["rpc.response.status_code"], code, "{}", reply.text);
        assert_eq!(error(&span), None);
    }
}

#[tokio::test]
async fn http2_is_told_as_that() {
    let lab = lab().await;
    for direct in [true, false] {
        let http = harness::Http::serve(server(config(direct))).await;
        lab.empty();
        let params = json!({ "_meta": harness::request_meta(&json!({})) });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params });
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        let request = client
            .post(&http.url)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", harness::MODERN)
            .header("mcp-method", "tools/list");
        assert_eq!(request.body(body.to_string()).send().await.unwrap().status(), 200);
        let span = attributes(&lab.operation("tools/list").attributes);
        assert_eq!((&*span["network.protocol.version"], &*span["jsonrpc.request.id"]), ("2", "1"));
    }
}
