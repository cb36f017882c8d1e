//! When the keys of an issuer are fetched, and what holds while they cannot be.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::issuer::{Answer, Issuer, Signer};
use super::{AUDIENCE, NOW, accepting, ask, claims, refusal};
use crate::auth::Jwt;
use crate::auth::fetch::Source;

const ACCEPTED: &str = "none: it is accepted";
const NO_KEY: &str = "no key of the issuer fits the token";

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn first_calls_at_once_share_one_fetch() {
    let signer = Signer::p256();
    let issuer = Issuer::with_keys(&[&signer]).await;
    let jwt = Arc::new(accepting(&issuer).0);
    let mut calls = JoinSet::new();
    for caller in 0..100 {
        let token = signer.token(&claims(&issuer, json!({ "sub": format!("caller {caller}") })));
        let jwt = Arc::clone(&jwt);
        calls.spawn(async move { ask(&*jwt, &token).await.is_ok() });
    }
    assert!(calls.join_all().await.into_iter().all(|accepted| accepted));
    assert_eq!(issuer.asked("/keys"), 1);
}

#[tokio::test]
async fn callers_that_leave_do_not_end_the_fetch() {
    let signer = Signer::p256();
    let issuer = Issuer::with_keys(&[&signer]).await;
    let jwt = accepting(&issuer).0;
    let token = signer.token(&claims(&issuer, json!({})));
    for _ in 0..10 {
        // Begins the fetch or joins it, and leaves at the first wait.
        tokio::select! {
            biased;
            _ = ask(&jwt, &token) => {}
            () = std::future::ready(()) => {}
        }
    }
    jwt.keys.settled().await;
    assert_eq!(refusal(&jwt, &token).await, ACCEPTED);
    assert_eq!(issuer.asked("/keys"), 1);
}

#[tokio::test]
async fn a_new_key_is_accepted_at_once_and_unknown_ones_fetch_rarely() {
    let (old, new) = (Signer::p256(), Signer::ed25519());
    let issuer = Issuer::with_keys(&[&old]).await;
    let (jwt, hand) = accepting(&issuer);
    let jwt = Arc::new(jwt);
    let by_old = old.token(&claims(&issuer, json!({})));
    assert_eq!(refusal(&*jwt, &by_old).await, ACCEPTED);

    issuer.keys(&[&new]);
    let mut calls = JoinSet::new();
    for caller in 0..100 {
        let token = new.token(&claims(&issuer, json!({ "sub": format!("caller {caller}") })));
        let jwt = Arc::clone(&jwt);
        calls.spawn(async move { refusal(&*jwt, &token).await });
    }
    assert!(calls.join_all().await.iter().all(|refusal| refusal == ACCEPTED));
    assert_eq!(issuer.asked("/keys"), 2);
    assert_eq!(refusal(&*jwt, &by_old).await, NO_KEY);

    for (seconds, fetches) in [(0, 2), (29, 2), (1, 3), (29, 3), (1, 4)] {
        hand.advance(Duration::from_secs(seconds));
        for attempt in 0..20 {
            let forged = Signer::p256().with(|header| header.kid = Some(format!("forged {attempt}")));
            assert_eq!(refusal(&*jwt, &forged.token(&claims(&issuer, json!({})))).await, NO_KEY);
        }
        assert_eq!(issuer.asked("/keys"), fetches, "after {seconds} s more");
    }
}

#[tokio::test]
async fn a_removed_key_is_refused_after_the_next_refresh() {
    let (old, new) = (Signer::p256(), Signer::ed25519());
    let issuer = Issuer::with_keys(&[&old]).await;
    let (jwt, hand) = accepting(&issuer);
    let token = old.token(&claims(&issuer, json!({})));
    assert_eq!(refusal(&jwt, &token).await, ACCEPTED);
    issuer.keys(&[&new]);

    hand.advance(10 * MINUTE - Duration::from_secs(1));
    assert_eq!(refusal(&jwt, &token).await, ACCEPTED);
    jwt.keys.settled().await;
    assert_eq!(issuer.asked("/keys"), 1);
    // The refresh is behind this call, and what it found holds from the next one on.
    hand.advance(Duration::from_secs(1));
    assert_eq!(refusal(&jwt, &token).await, ACCEPTED);
    jwt.keys.settled().await;
    assert_eq!(issuer.asked("/keys"), 2);
    assert_eq!(refusal(&jwt, &token).await, NO_KEY);
}

#[tokio::test]
async fn a_call_after_a_long_silence_waits_for_new_keys() {
    let (old, new) = (Signer::p256(), Signer::ed25519());
    let issuer = Issuer::with_keys(&[&old]).await;
    let (jwt, hand) = accepting(&issuer);
    let token = old.token(&claims(&issuer, json!({})));
    assert_eq!(refusal(&jwt, &token).await, ACCEPTED);
    issuer.keys(&[&new]);
    hand.advance(20 * MINUTE);
    assert_eq!(refusal(&jwt, &token).await, NO_KEY);
}

#[tokio::test]
async fn without_keys_a_token_is_neither_good_nor_bad() {
    let signer = Signer::p256();
    let issuer = Issuer::start().await;
    let (jwt, hand) = accepting(&issuer);
    let token = signer.token(&claims(&issuer, json!({})));
    issuer.answers("/keys", Answer::Status(503));
    for _ in 0..20 {
        assert_eq!(refusal(&jwt, &token).await, "unavailable");
    }
    assert_eq!(issuer.asked("/keys"), 1);

    issuer.keys(&[&signer]);
    hand.advance(Duration::from_secs(9));
    assert_eq!(refusal(&jwt, &token).await, "unavailable");
    hand.advance(Duration::from_secs(1));
    assert_eq!(refusal(&jwt, &token).await, ACCEPTED);

    let nobody = Jwt::new("http://127.0.0.1:1", AUDIENCE).unwrap();
    assert_eq!(refusal(&nobody, &token).await, "unavailable");
}

#[tokio::test]
async fn old_keys_are_good_for_a_day_while_there_are_no_newer_ones() {
    let signer = Signer::p256();
    let issuer = Issuer::with_keys(&[&signer]).await;
    let (jwt, hand) = accepting(&issuer);
    let token = |subject: &str| signer.token(&claims(&issuer, json!({ "sub": subject })));
    assert_eq!(refusal(&jwt, &token("a")).await, ACCEPTED);
    issuer.answers("/keys", Answer::Status(503));

    hand.advance(15 * MINUTE);
    for subject in ["a", "b"] {
        assert_eq!(refusal(&jwt, &token(subject)).await, ACCEPTED);
    }
    jwt.keys.settled().await;
    assert_eq!(issuer.asked("/keys"), 2);
    hand.advance(23 * HOUR);
    for subject in ["a", "b", "c"] {
        assert_eq!(refusal(&jwt, &token(subject)).await, ACCEPTED);
    }
    jwt.keys.settled().await;
    assert_eq!(issuer.asked("/keys"), 3);
    hand.advance(45 * MINUTE);
    assert_eq!(refusal(&jwt, &token("a")).await, "unavailable");

    issuer.keys(&[&signer]);
    hand.advance(MINUTE);
    assert_eq!(refusal(&jwt, &token("a")).await, ACCEPTED);
    // All is as before the failures: after a long silence a call waits.
    issuer.keys(&[]);
    hand.advance(20 * MINUTE);
    assert_eq!(refusal(&jwt, &token("a")).await, NO_KEY);
}

#[tokio::test]
async fn a_document_may_have_one_mebibyte() {
    let signer = Signer::p256();
    let issuer = Issuer::start().await;
    let token = signer.token(&claims(&issuer, json!({})));
    let document = json!({ "keys": [signer.jwk()] }).to_string();
    for (bytes, expected) in [(1 << 20, ACCEPTED), ((1 << 20) + 1, "unavailable"), (64 << 20, "unavailable")]
    {
        issuer.answers("/keys", Answer::Document(document.clone() + &" ".repeat(bytes - document.len())));
        let (jwt, _) = accepting(&issuer);
        assert_eq!(refusal(&jwt, &token).await, expected, "{bytes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_issuer_is_waited_for_five_seconds() {
    let issuer = Issuer::start().await;
    issuer.answers("/keys", Answer::Silence);
    let (jwt, _) = accepting(&issuer);
    let token = Signer::p256().token(&claims(&issuer, json!({})));
    let began = tokio::time::Instant::now();
    assert_eq!(refusal(&jwt, &token).await, "unavailable");
    let waited = began.elapsed();
    assert!((Duration::from_secs(5)..Duration::from_millis(5100)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn the_metadata_of_the_issuer_says_where_its_keys_are() {
    let signer = Signer::p256();
    let issuer = Issuer::with_keys(&[&signer]).await;
    let keys = format!("{}/keys", issuer.url);
    let metadata = |issuer: &str, keys: &str| {
        Answer::Document(json!({ "issuer": issuer, "jwks_uri": keys }).to_string())
    };
    let oauth = "/.well-known/oauth-authorization-server";
    let openid = "/.well-known/openid-configuration";
    let no = Answer::Status(404);
    for (what, by_oauth, by_openid, expected) in [
        ("RFC 8414", metadata(&issuer.url, &keys), no.clone(), ACCEPTED),
        ("OpenID Connect", no.clone(), metadata(&issuer.url, &keys), ACCEPTED),
        ("another issuer", metadata("https://login.example", &keys), no.clone(), "unavailable"),
        ("a slash more", metadata(&format!("{}/", issuer.url), &keys), no.clone(), "unavailable"),
        ("keys in the clear", metadata(&issuer.url, "http://login.example/keys"), no.clone(), "unavailable"),
        ("no metadata", Answer::Document("{}".into()), Answer::Document("<html>".into()), "unavailable"),
        ("nothing", no.clone(), no.clone(), "unavailable"),
    ] {
        issuer.answers(oauth, by_oauth);
        issuer.answers(openid, by_openid);
        let (clock, _) = mcp_core::clock::Clock::fake();
        let jwt = Jwt::new(&issuer.url, AUDIENCE).unwrap().timed(clock, NOW);
        assert_eq!(refusal(&jwt, &signer.token(&claims(&issuer, json!({})))).await, expected, "{what}");
    }
}

#[tokio::test]
async fn a_mistake_says_what_was_asked_and_answered() {
    let issuer = Issuer::start().await;
    let openid = "/.well-known/openid-configuration";
    let of = |url: &str| Source::Issuer(url.to_owned());
    let url = &issuer.url;
    let no_oauth = format!("{url}/.well-known/oauth-authorization-server: answered 404 Not Found; ");
    for (metadata, expected) in [
        (
            json!({ "issuer": url }),
            format!("{url}{openid} has no metadata: missing field `jwks_uri` at line 1"),
        ),
        (json!({ "issuer": "x", "jwks_uri": url }), format!("{url}{openid} is about another issuer, `x`")),
        (
            json!({ "issuer": url, "jwks_uri": "http://login.example/keys" }),
            "`http://login.example/keys` is not encrypted".to_owned(),
        ),
    ] {
        issuer.answers(openid, Answer::Document(metadata.to_string()));
        let mistake = of(url).fetch().await.err().unwrap();
        assert!(mistake.starts_with(&format!("{no_oauth}{expected}")), "{mistake}");
    }
    let mistake = of("http://127.0.0.1:1").fetch().await.err().unwrap();
    assert!(mistake.contains("Connection refused"), "{mistake}");
}

#[tokio::test]
async fn no_redirection_is_followed() {
    let signer = Signer::p256();
    let issuer = Issuer::with_keys(&[&signer]).await;
    issuer.answers("/moved", Answer::Moved(json!({ "keys": [signer.jwk()] }).to_string(), "/keys"));
    let jwt = Jwt::new(&issuer.url, AUDIENCE).unwrap().jwks_url(&format!("{}/moved", issuer.url)).unwrap();
    assert_eq!(refusal(&jwt, &signer.token(&claims(&issuer, json!({})))).await, "unavailable");
    assert_eq!((issuer.asked("/moved"), issuer.asked("/keys")), (1, 0));
}
