//! Nobody gets what was computed for somebody else.

use std::collections::HashMap;
use std::sync::Arc;

use harness::{Http, http::Reply};
use mcp_server::serde_json::{Value, json};
use mcp_server::{Authenticator, BoxFuture, Headers, Identity, Unauthorized};

use super::components::described;
use super::lab::{Bench, Does, SECOND, server};
use super::races::Numbers;

/// Every combination of issuer, subject, tenant and scopes that is easily mistaken for another.
fn identities() -> Vec<Identity> {
    let mut all = vec![Identity::anonymous()];
    for issuer in ["i", ""] {
        for subject in ["ann", "bob", "t", ""] {
            for tenant in [None, Some("t"), Some("ann"), Some("")] {
                for scopes in [&[][..], &["read"], &["read", "write"]] {
                    let mut who = Identity::new(issuer, subject).with_scopes(scopes.iter().copied());
                    if let Some(tenant) = tenant {
                        who = who.with_tenant(tenant);
                    }
                    all.push(who);
                }
            }
        }
    }
    all
}

/// What `mine` or `ours` must tell a caller.
fn expected(name: &str, who: &Identity) -> String {
    match who.tenant() {
        Some(tenant) if name == "ours" => format!("{:?}/{tenant}", who.issuer()),
        _ => described(who),
    }
}

#[tokio::test]
async fn p37_a_private_result_is_its_identity_s_and_a_tenant_s_its_tenant_s() {
    for name in ["mine", "ours"] {
        for id in ["present", "missing"] {
            let bench = Bench::new();
            let mut owners: HashMap<String, u64> = HashMap::new();
            for _ in 0..2 {
                for who in identities() {
                    let told = bench.tool_as(&who, name, id).await;
                    let (way, result) = told.split_once(": ").unwrap();
                    let result = result.strip_prefix("error: ").unwrap_or(result);
                    let owner = expected(name, &who);
                    assert_eq!(result, owner, "{name} {id}");
                    let seen = owners.entry(owner).or_default();
                    *seen += 1;
                    let kept = if id == "missing" { "negative" } else { "memory" };
                    assert_eq!(way, if *seen == 1 { "computed" } else { kept }, "{name} {id}");
                }
            }
            assert_eq!(bench.lab.runs(id), owners.len() as u64);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p37_also_when_all_ask_at_once_when_results_are_old_and_when_the_function_fails() {
    for name in ["mine", "ours"] {
        let bench = Bench::new();
        for advance in [0, 0, 10, 5, 15] {
            bench.clock.advance(advance * SECOND);
            let fails = advance == 15;
            for id in ["present", "missing"] {
                bench.lab.set(id, if fails { Does::Fail } else { Does::Count });
            }
            let mut calls = Vec::new();
            for _ in 0..3 {
                for who in identities() {
                    for id in ["present", "missing"] {
                        let bench = bench.clone();
                        let who = who.clone();
                        calls.push(tokio::spawn(async move {
                            let told = bench.tool_as(&who, name, id).await;
                            (expected(name, &who), id, told)
                        }));
                    }
                }
            }
            for call in calls {
                let (owner, id, told) = call.await.unwrap();
                let (way, result) = told.split_once(": ").unwrap();
                let result = result.strip_prefix("error: ").unwrap_or(result);
                let failed = fails && result == "out of order";
                assert!(result == owner || failed, "{name} {id}: `{told}` for {owner}");
                if fails && id == "present" {
                    assert_eq!(way, "stale", "{told}");
                }
            }
            bench.idle().await;
        }
        let stats = bench.stats();
        assert!(stats.stale > 0 && stats.negative > 0 && stats.coalesced + stats.memory > 0, "{stats:?}");
    }
}

#[tokio::test]
async fn p37_while_one_s_run_is_under_way_another_s_call_does_not_wait_for_it() {
    let bench = Bench::new();
    let gate = bench.lab.close("held");
    let who =
        |subject: &str, scopes: &[&str]| Identity::new("i", subject).with_scopes(scopes.iter().copied());
    let all = [who("ann", &[]), who("bob", &[]), who("ann", &["read"]), who("ann", &[]).with_tenant("t")];
    let mut calls = Vec::new();
    for who in all.clone() {
        let bench = bench.clone();
        calls.push(tokio::spawn(async move { bench.tool_as(&who, "mine", "held").await }));
    }
    bench.until(|stats| stats.flights == 4).await;
    for _ in 0..4 {
        gate.entered().await;
    }
    gate.open();
    for (call, who) in calls.into_iter().zip(all) {
        assert_eq!(call.await.unwrap(), format!("computed: {}", described(&who)));
    }
}

#[tokio::test]
async fn p37_equal_permissions_share_in_whatever_order_they_come() {
    let bench = Bench::new();
    let token = |scopes: [&str; 3]| Identity::new("i", "ann").with_tenant("t").with_scopes(scopes);
    assert!(bench.tool_as(&token(["read", "write", "x"]), "mine", "a").await.starts_with("computed: "));
    for scopes in [["x", "write", "read"], ["write", "read", "x"]] {
        assert!(bench.tool_as(&token(scopes), "mine", "a").await.starts_with("memory: "));
    }
    assert!(bench.tool_as(&token(["read", "x", "x"]), "mine", "a").await.starts_with("computed: "));
}

#[tokio::test]
async fn p37_a_public_result_is_everybody_s() {
    let bench = Bench::new();
    for (number, who) in identities().into_iter().enumerate() {
        let way = if number == 0 { "computed" } else { "memory" };
        assert_eq!(bench.tool_as(&who, "public", "a").await, format!("{way}: public:a#1"));
    }
}

#[tokio::test]
async fn p37_callers_without_a_tenant_share_with_nobody() {
    let bench = Bench::new();
    for who in ["ann", "bob"].map(|name| Identity::new("i", name)) {
        assert_eq!(bench.tool_as(&who, "ours", "a").await, format!("computed: {}", described(&who)));
    }
    for who in ["ann", "bob"].map(|name| Identity::new("i", name).with_tenant("t")) {
        assert!(bench.tool_as(&who, "ours", "a").await.ends_with(": Some(\"i\")/t"));
    }
    assert_eq!(bench.lab.runs("a"), 3);
    // The same name of another issuer is another tenant.
    let other = Identity::new("j", "ann").with_tenant("t");
    assert_eq!(bench.tool_as(&other, "ours", "a").await, "computed: Some(\"j\")/t");
}

/// Reads a caller out of a token: `subject/tenant/scope+scope`; its first word is a serial number.
struct Spelled;

impl Authenticator for Spelled {
    fn authenticate<'a>(&'a self, headers: &'a Headers) -> BoxFuture<'a, Result<Identity, Unauthorized>> {
        Box::pin(async move {
            let token = headers.get("authorization").and_then(|header| header.strip_prefix("Bearer "));
            let parts: Vec<_> = token.unwrap_or_default().split('/').collect();
            let [_serial, subject, tenant, scopes] = parts[..] else {
                return Err(Unauthorized::new("spell it out"));
            };
            let mut who = Identity::new("http", subject);
            if !scopes.is_empty() {
                who = who.with_scopes(scopes.split('+'));
            }
            Ok(if tenant.is_empty() { who } else { who.with_tenant(tenant) })
        })
    }
}

fn text(reply: &Reply) -> String {
    let result = reply.result();
    let text = result.pointer("/content/0/text").or_else(|| result.pointer("/contents/0/text"));
    text.and_then(Value::as_str).unwrap().to_owned()
}

#[tokio::test]
async fn p37_over_http_by_token_in_both_eras() {
    let (server, lab, _) = server(|_| {});
    let server = server.authenticator(Spelled);
    let cache = server.cache().unwrap();
    let http = Http::serve(server).await;
    let tokens = ["ann//", "ann//read", "ann//read+write", "ann/t/", "bob//", "bob/t/", "bob/t/read", "t//"];
    let mut numbers = Numbers(77);
    let (mut mine, mut ours) = (HashMap::new(), HashMap::new());
    let mut sessions = Vec::new();
    for token in tokens {
        let client = http.with_token(&format!("0/{token}"));
        let session = client.initialize(&json!({})).await;
        sessions.push((client, session));
    }
    for round in 0..150_u64 {
        let which = numbers.below(tokens.len() as u64) as usize;
        // A new token of the same caller each time.
        let client = http.with_token(&format!("{round}/{}", tokens[which]));
        let name = ["mine", "ours"][numbers.below(2) as usize];
        let (method, params) = if numbers.below(2) == 0 {
            ("tools/call", json!({ "name": name, "arguments": { "id": "a" } }))
        } else {
            ("resources/read", json!({ "uri": format!("lab://{name}/a") }))
        };
        let reply = if numbers.below(2) == 0 {
            client.request(method, params).await
        } else {
            let (client, session) = &sessions[which];
            client.request_in(session, method, params).await
        };
        let told = text(&reply);
        let [subject, tenant, scopes] = tokens[which].split('/').collect::<Vec<_>>()[..] else {
            unreachable!()
        };
        if name == "ours" && !tenant.is_empty() {
            assert!(told.ends_with(tenant) && !told.contains(subject), "{told} for {}", tokens[which]);
            ours.insert((method, tenant), ());
        } else {
            let tenant = if tenant.is_empty() { "None".to_owned() } else { format!("Some({tenant:?})") };
            let own = format!("Some(\"http\")/Some({subject:?})/{tenant}/{scopes}");
            assert_eq!(told, own, "for {}", tokens[which]);
            mine.insert((method, name, tokens[which]), ());
        }
        if round == 100 {
            cache.clear().await;
        }
    }
    // Twice at most: before and after everything was cleared.
    let most = 2 * (mine.len() + ours.len()) as u64;
    assert!(lab.runs("a") <= most, "{} runs for {most}", lab.runs("a"));
}

#[tokio::test]
async fn p37_many_callers_over_http_at_once() {
    let (server, lab, _) = server(|_| {});
    let server = Arc::new(server.authenticator(Spelled));
    let cache = server.cache().unwrap();
    let gate = lab.close("held");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = Http::at(format!("http://{}/mcp", listener.local_addr().unwrap()));
    tokio::spawn(async move { server.serve_listener(listener).await });
    let tokens = ["ann//", "ann//read", "bob//", "bob/t/"];
    let mut calls = Vec::new();
    for number in 0..24 {
        let token = tokens[number % 4];
        let client = http.with_token(&format!("{number}/{token}"));
        calls.push(tokio::spawn(async move {
            let call = json!({ "name": "mine", "arguments": { "id": "held" } });
            (token, text(&client.request("tools/call", call).await))
        }));
    }
    let waiting = async {
        while (cache.stats().joined, cache.stats().flights) != (20, 4) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(20 * SECOND, waiting).await.expect("all wait");
    gate.open();
    for call in calls {
        let (token, told) = call.await.unwrap();
        let subject = token.split('/').next().unwrap();
        assert!(told.contains(&format!("Some({subject:?})")), "{told} for {token}");
        assert_eq!(told.ends_with("read"), token.ends_with("read"), "{told} for {token}");
    }
    assert_eq!(lab.runs("held"), 4);
}

#[tokio::test]
async fn p08_a_hit_skips_neither_authentication_nor_statistics() {
    let (server, lab, _) = server(|config| {
        config.auth_tokens = vec![("ann".into(), "secret-a".into()), ("bob".into(), "secret-b".into())];
    });
    let figures = Arc::new(server);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = Http::at(format!("http://{}/mcp", listener.local_addr().unwrap()));
    let serving = Arc::clone(&figures);
    tokio::spawn(async move { serving.serve_listener(listener).await });
    let call = || json!({ "name": "public", "arguments": { "id": "a" } });
    for token in ["secret-a", "secret-b", "secret-a"] {
        let reply = http.with_token(token).request("tools/call", call()).await;
        assert_eq!((reply.status, text(&reply).as_str()), (200, "public:a#1"));
    }
    for refused in [http.with_token("secret-c"), http.with_token(""), http.with_token("secret-a ?")] {
        let reply = refused.request("tools/call", call()).await;
        assert_eq!(reply.status, 401, "{}", reply.text);
        assert!(!reply.text.contains("public:a"), "{}", reply.text);
    }
    assert_eq!(http.request("tools/call", call()).await.status, 401);
    assert_eq!(lab.runs("public:a"), 1);
    let public = harness::Figures::of(&figures, "tool", "public");
    assert_eq!(public.outcomes, [("ok".to_owned(), 3)]);
    assert_eq!(public.cache, [("memory".to_owned(), 2), ("computed".to_owned(), 1)]);
}

#[tokio::test]
async fn p08_what_is_switched_off_is_not_answered_from_the_cache() {
    let bench = Bench::new();
    let mut wire = harness::Wire::connect(&bench.server, harness::MODERN).await;
    wire.call("public", json!({ "id": "a" })).await;
    wire.call("switch", json!({ "name": "public", "on": false })).await;
    let call = json!({ "name": "public", "arguments": { "id": "a" } });
    let answer = wire.request("tools/call", call).await;
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    wire.call("switch", json!({ "name": "public", "on": true })).await;
    assert_eq!(wire.call("public", json!({ "id": "a" })).await["content"][0]["text"], "public:a#1");
}
