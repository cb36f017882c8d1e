//! What callers without the right token get, on both lanes, and where the result is in the cache.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use jsonwebtoken::{Algorithm, EncodingKey};
use mcp_core::prelude::*;
use serde_json::{Value, json};
use tower_service::Service as _;

use super::issuer::{Issuer, Signer, by_hand};
use super::{NOW, accepting, claims};
use crate::{HttpService, Server};

/// How often the functions of a test ran.
static RUNS: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);

const METADATA: &str = "resource_metadata=\"https://me.example/.well-known/oauth-protected-resource/mcp\"";

fn ran(of: &str) -> usize {
    RUNS.lock().unwrap().get_or_insert_default().get(of).copied().unwrap_or(0)
}

fn run(of: String) -> String {
    *RUNS.lock().unwrap().get_or_insert_default().entry(of.clone()).or_default() += 1;
    of
}

/// For whoever may write, and then for all of them.
#[tool(cache(ttl = "1h", scope = "public"), scopes("write"))]
fn kept(of: String) -> String {
    run(of)
}

/// For whoever may write, each time anew.
#[tool(scopes("write"))]
fn fresh(of: String) -> String {
    run(of)
}

/// A server behind an issuer.
struct Guarded(HttpService);

/// What came back: the status, the challenge, the message.
type Reply = (StatusCode, String, Value);

impl Guarded {
    fn new(issuer: &Issuer, lane: bool) -> Self {
        let (jwt, _) = accepting(issuer);
        let mut config = Config::default();
        config.direct_lane = lane;
        let server = Server::builder().config(config).tool(kept::def()).tool(fresh::def());
        Self(server.authenticator(jwt).http_service().unwrap())
    }

    async fn call(&mut self, authorization: Option<&str>, tool: &str, of: &str) -> Reply {
        let params = json!({ "name": tool, "arguments": { "of": of }, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        } });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let request = Request::post("/mcp")
            .header(HOST, "localhost")
            .header(ACCEPT, "application/json, text/event-stream")
            .header(CONTENT_TYPE, "application/json")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool);
        let request = match authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        };
        let request = request.body(Full::new(Bytes::from(body.to_string()))).unwrap();
        let response = self.0.call(request).await.unwrap();
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        let challenge = challenge.map_or("", |challenge| challenge.to_str().unwrap()).to_owned();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = std::str::from_utf8(&body).unwrap();
        // rmcp may answer with an event.
        let event =
            text.lines().find_map(|line| line.strip_prefix("data:").filter(|data| data.contains('{')));
        (status, challenge, serde_json::from_str(event.unwrap_or(text)).unwrap())
    }

    /// Calls with a token that is good.
    async fn served(&mut self, token: &str, tool: &str, of: &str) {
        let (status, challenge, message) = self.call(Some(&format!("Bearer {token}")), tool, of).await;
        assert_eq!((status, &*challenge), (StatusCode::OK, ""), "{message}");
        assert_eq!(message["result"]["content"][0]["text"], of, "{message}");
    }
}

/// All combinations: the lane, the tool, whether its result is in the cache already.
const CASES: [(bool, &str, bool); 6] = [
    (true, "kept", true),
    (true, "kept", false),
    (true, "fresh", false),
    (false, "kept", true),
    (false, "kept", false),
    (false, "fresh", false),
];

#[tokio::test]
async fn bad_tokens_are_refused_on_both_lanes_whether_the_result_is_kept_or_not() {
    let (rsa, p256, stranger) = (Signer::rsa(Algorithm::RS256), Signer::p256(), Signer::other_p256());
    let issuer = Issuer::with_keys(&[&rsa, &p256]).await;
    let good = claims(&issuer, json!({ "scope": "read write" }));
    let with = |others: Value| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        p256.token(&claims)
    };
    let hmac = {
        let mut signer = Signer::rsa(Algorithm::HS256);
        signer.key = EncodingKey::from_secret(rsa.jwk()["n"].as_str().unwrap().as_bytes());
        signer.token(&good)
    };
    let unsigned = by_hand(&json!({ "alg": "none", "typ": "JWT", "kid": "p256" }), &good, b"");
    let bad = [
        ("expired", with(json!({ "exp": NOW - 3600 })), "the token has expired"),
        (
            "of another audience",
            with(json!({ "aud": "https://other.example" })),
            "the token is for another audience",
        ),
        (
            "of another issuer",
            with(json!({ "iss": "https://other.example" })),
            "the token is of another issuer",
        ),
        ("of an unknown key", stranger.token(&good), "no key of the issuer fits the token"),
        ("unsigned", unsigned, "this is no signed token (JWT)"),
        ("signed with the public key", hmac, "no key of the issuer fits the token"),
    ];
    for (lane, tool, is_kept) in CASES {
        let mut server = Guarded::new(&issuer, lane);
        let of = format!("bad tokens, {tool} {is_kept} {lane}");
        if is_kept {
            server.served(&p256.token(&good), tool, &of).await;
            server.served(&p256.token(&good), tool, &of).await;
            assert_eq!(ran(&of), 1, "the second comes from the cache");
        }
        for (what, token, reason) in &bad {
            let (status, challenge, message) = server.call(Some(&format!("Bearer {token}")), tool, &of).await;
            let expected =
                format!("Bearer {METADATA}, error=\"invalid_token\", error_description=\"{reason}\"");
            assert_eq!((status, challenge), (StatusCode::UNAUTHORIZED, expected), "{what}, {of}");
            assert!(
                message["error"]["code"].is_i64() && message.get("result").is_none(),
                "{what}: {message}"
            );
        }
        // Who sends nothing is told no mistake (RFC 6750, section 3.1).
        for nothing in [None, Some("Basic YTpi")] {
            let (status, challenge, message) = server.call(nothing, tool, &of).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{nothing:?}, {of}");
            assert!(challenge.starts_with("Bearer ") && challenge.contains(METADATA), "{challenge}");
            assert!(message.get("result").is_none(), "{message}");
        }
        assert_eq!(ran(&of), usize::from(is_kept), "{of}: nothing ran for those who were refused");
        server.served(&p256.token(&good), tool, &of).await;
        assert_eq!(ran(&of), 1, "{of}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_refused_on_both_lanes_whether_the_result_is_kept_or_not() {
    let signer = Signer::p256();
    let issuer = Issuer::with_keys(&[&signer]).await;
    let writer = signer.token(&claims(&issuer, json!({ "scope": "read write" })));
    for (lane, tool, is_kept) in CASES {
        let mut server = Guarded::new(&issuer, lane);
        let of = format!("scopes, {tool} {is_kept} {lane}");
        if is_kept {
            server.served(&writer, tool, &of).await;
        }
        for scope in [json!("read"), json!("writes"), json!(null)] {
            let reader = signer.token(&claims(&issuer, json!({ "scope": scope })));
            let (status, challenge, message) =
                server.call(Some(&format!("Bearer {reader}")), tool, &of).await;
            let expected = format!("Bearer error=\"insufficient_scope\", scope=\"write\", {METADATA}");
            assert_eq!((status, challenge), (StatusCode::FORBIDDEN, expected), "{scope}, {of}");
            assert_eq!(message["error"]["message"], format!("`{tool}` needs the scope `write`"));
            assert!(message.get("result").is_none(), "{message}");
        }
        assert_eq!(ran(&of), usize::from(is_kept), "{of}: nothing ran for those who were refused");
        server.served(&writer, tool, &of).await;
        assert_eq!(ran(&of), 1, "{of}");
    }
}

#[tokio::test]
async fn a_rotated_key_is_accepted_on_both_lanes_and_the_old_one_no_more() {
    for (lane, tool, is_kept) in CASES {
        let (old, new) = (Signer::p256(), Signer::ed25519());
        let issuer = Issuer::with_keys(&[&old]).await;
        let claims = claims(&issuer, json!({ "scope": "write" }));
        let mut server = Guarded::new(&issuer, lane);
        let of = format!("rotated, {tool} {is_kept} {lane}");
        let before = format!("{of}, before");
        server.served(&old.token(&claims), tool, if is_kept { &of } else { &before }).await;

        issuer.keys(&[&new]);
        server.served(&new.token(&claims), tool, &of).await;
        assert_eq!((ran(&of), issuer.asked("/keys")), (1, 2), "{of}");
        let old = format!("Bearer {}", old.token(&claims));
        let (status, challenge, _) = server.call(Some(&old), tool, &of).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{of}");
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        assert_eq!(ran(&of), 1, "{of}");
    }
}
