//! Which tokens are accepted, and as whom.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey};
use mcp_core::{Config, Identity};
use serde_json::json;

use super::issuer::{Issuer, Signer, by_hand};
use super::{AUDIENCE, NOW, accepting, ask, claims, material, refusal};
use crate::auth::{Authenticator, Headers, Jwt, configured};

#[tokio::test]
async fn tokens_of_every_kind_of_key_are_accepted() {
    let signers = [
        Signer::rsa(Algorithm::RS256),
        Signer::rsa(Algorithm::RS512),
        Signer::rsa(Algorithm::PS256),
        Signer::p256(),
        Signer::p384(),
        Signer::ed25519(),
    ];
    let [rsa, _, _, p256, p384, ed25519] = &signers;
    let issuer = Issuer::with_keys(&[rsa, p256, p384, ed25519]).await;
    let (jwt, _) = accepting(&issuer);
    for signer in &signers {
        let identity = ask(&jwt, &signer.token(&claims(&issuer, json!({})))).await.unwrap();
        let alice = Identity::new(&issuer.url, "alice").with_scopes(["read"]);
        assert!(identity == alice, "{:?}", signer.header.alg);
    }
    assert_eq!(issuer.asked("/keys"), 1);
}

#[tokio::test]
async fn a_token_must_be_for_us_from_the_issuer_and_within_its_time() {
    let signer = Signer::p256();
    let issuer = Issuer::with_keys(&[&signer]).await;
    let (jwt, _) = accepting(&issuer);
    let accepted = "none: it is accepted";
    for (others, expected) in [
        (json!({ "exp": NOW - 59 }), accepted),
        (json!({ "exp": NOW - 60 }), "the token has expired"),
        (json!({ "exp": NOW as f64 + 0.5 }), accepted),
        (json!({ "exp": 0 }), "the token has expired"),
        (json!({ "exp": u64::MAX }), accepted),
        (json!({ "exp": null }), "the token has no `exp`"),
        (json!({ "exp": (NOW + 60).to_string() }), "the token has no `exp`"),
        (json!({ "exp": -1 }), "the token has no `exp`"),
        (json!({ "nbf": NOW + 60 }), accepted),
        (json!({ "nbf": NOW + 61 }), "the token is not valid yet"),
        (json!({ "nbf": "soon" }), "the `nbf` of the token is no time"),
        (json!({ "aud": ["https://other.example", AUDIENCE] }), accepted),
        (json!({ "aud": "https://me.example" }), "the token is for another audience"),
        (json!({ "aud": ["https://other.example"] }), "the token is for another audience"),
        (json!({ "aud": [] }), "the token is for another audience"),
        (json!({ "aud": null }), "the token has no `aud`"),
        (json!({ "iss": "https://login.example" }), "the token is of another issuer"),
        (json!({ "iss": format!("{}/", issuer.url) }), "the token is of another issuer"),
        (json!({ "iss": [issuer.url] }), "the token is of another issuer"),
        (json!({ "iss": null }), "the token has no `iss`"),
        (json!({ "sub": null }), "the token has no `sub`"),
        (json!({ "sub": "" }), "the token has no `sub`"),
        (json!({ "sub": 7, "client_id": "robot" }), "the token has no `sub`"),
        (json!({ "sub": null, "client_id": "robot" }), accepted),
    ] {
        let token = signer.token(&claims(&issuer, others.clone()));
        assert_eq!(refusal(&jwt, &token).await, expected, "{others}");
    }
}

#[tokio::test]
async fn forged_tokens_are_refused_and_nothing_of_them_is_repeated() {
    let (rsa, p256, stranger) = (Signer::rsa(Algorithm::RS256), Signer::p256(), Signer::other_p256());
    let issuer = Issuer::with_keys(&[&rsa, &p256]).await;
    let (jwt, _) = accepting(&issuer);
    let claims = claims(&issuer, json!({}));
    let good = p256.token(&claims);
    let [head, _, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };

    let unsigned = |alg: &str| by_hand(&json!({ "alg": alg, "typ": "JWT", "kid": "p256" }), &claims, b"");
    // The attacker has the public key, in all the forms that a server might keep it in.
    let modulus = rsa.jwk()["n"].as_str().unwrap().to_owned();
    let hmac = |secret: EncodingKey| {
        let mut signer = Signer::rsa(Algorithm::HS256);
        signer.key = secret;
        signer.token(&claims)
    };
    let eve = by_hand(&json!({}), &json!({ "sub": "eve" }), b"");
    let eve = eve.split('.').nth(1).unwrap();

    let no_key = "no key of the issuer fits the token";
    let wrong = "the signature of the token is wrong";
    for (what, token, expected) in [
        ("none", unsigned("none"), "this is no signed token (JWT)"),
        ("none, spelled otherwise", unsigned("nOnE"), "this is no signed token (JWT)"),
        ("no algorithm", by_hand(&json!({ "kid": "p256" }), &claims, b""), "this is no signed token (JWT)"),
        ("no signature", by_hand(&json!({ "alg": "ES256", "kid": "p256" }), &claims, b""), wrong),
        (
            "a signature of zeros",
            by_hand(&json!({ "alg": "ES256", "kid": "p256" }), &claims, &[0; 64]),
            wrong,
        ),
        ("HMAC with the modulus", hmac(EncodingKey::from_secret(modulus.as_bytes())), no_key),
        ("HMAC with the key's DER", hmac(EncodingKey::from_base64_secret(material::RSA).unwrap()), no_key),
        ("HMAC with the JWK", hmac(EncodingKey::from_secret(rsa.jwk().to_string().as_bytes())), no_key),
        ("a stranger's key", stranger.token(&claims), no_key),
        (
            "a stranger's key under a known name",
            Signer::other_p256().with(|header| header.kid = Some("p256".into())).token(&claims),
            wrong,
        ),
        (
            "a key that it brings along",
            Signer::other_p256()
                .with(|header| {
                    header.kid = Some("p256".into());
                    header.jwk = serde_json::from_value(stranger.jwk()).unwrap();
                    header.jku = Some(format!("{}/mine", issuer.url));
                })
                .token(&claims),
            wrong,
        ),
        (
            "a key of another kind",
            Signer::p256().with(|header| header.kid = Some("rsa".into())).token(&claims),
            no_key,
        ),
        ("another payload", format!("{head}.{eve}.{signature}"), wrong),
        ("half a signature", format!("{head}.{eve}.{}", &signature[..40]), wrong),
        (
            "critical extensions",
            Signer::p256().with(|header| header.crit = Some(vec!["b64".into()])).token(&claims),
            "the token has critical extensions",
        ),
        ("four parts", format!("{good}.x"), "this is no signed token (JWT)"),
        ("two parts", "a.b".to_owned(), "this is no signed token (JWT)"),
        ("one part", "secret".to_owned(), "this is no signed token (JWT)"),
        ("no base64", "?.?.?".to_owned(), "this is no signed token (JWT)"),
    ] {
        let reason = refusal(&jwt, &token).await;
        assert_eq!(reason, expected, "{what}");
        assert!(token.split('.').all(|part| part.len() < 3 || !reason.contains(part)), "{what}");
    }
    assert_eq!(issuer.asked("/mine"), 0);
    assert!(ask(&jwt, &good).await.is_ok());
}

#[tokio::test]
async fn a_token_without_a_key_id_needs_the_only_key_that_fits() {
    let (p256, other, ed25519) = (Signer::p256(), Signer::other_p256(), Signer::ed25519());
    let issuer = Issuer::with_keys(&[&p256, &ed25519]).await;
    let (jwt, _) = accepting(&issuer);
    let token = Signer::p256().with(|header| header.kid = None).token(&claims(&issuer, json!({})));
    assert!(ask(&jwt, &token).await.is_ok());
    issuer.keys(&[&p256, &other, &ed25519]);
    let (jwt, _) = accepting(&issuer);
    assert_eq!(refusal(&jwt, &token).await, "no key of the issuer fits the token");
}

#[tokio::test]
async fn scopes_and_tenant_become_those_of_the_identity() {
    let signer = Signer::p256();
    let issuer = Issuer::with_keys(&[&signer]).await;
    let jwt = accepting(&issuer).0.tenant_claim("tid");
    let (scopes, none): (_, [&str; 0]) = (["read", "write"], []);
    for (others, scopes, tenant) in [
        (json!({ "scope": "read write" }), &scopes[..], None),
        (json!({ "scope": null, "scp": "read write" }), &scopes, None),
        (json!({ "scope": null, "scp": ["read", "write"] }), &scopes, None),
        (json!({ "scope": "read", "scp": ["write"], "tid": "t" }), &scopes, Some("t")),
        (json!({ "scope": null, "tid": 7 }), &none, None),
        (json!({ "scope": { "read": true }, "scp": [7, null], "tid": "" }), &none, None),
    ] {
        let identity = ask(&jwt, &signer.token(&claims(&issuer, others.clone()))).await.unwrap();
        let mut expected = Identity::new(&issuer.url, "alice").with_scopes(scopes.iter().copied());
        if let Some(tenant) = tenant {
            expected = expected.with_tenant(tenant);
        }
        assert!(identity == expected, "{others}");
    }
}

#[tokio::test]
async fn a_verified_token_is_accepted_without_its_key_until_the_next_fetch() {
    let signer = Signer::rsa(Algorithm::RS256);
    let issuer = Issuer::with_keys(&[&signer]).await;
    let (jwt, _) = accepting(&issuer);
    let seen = signer.token(&claims(&issuer, json!({})));
    let unseen = signer.token(&claims(&issuer, json!({ "sub": "bob" })));
    let identity = ask(&jwt, &seen).await.unwrap();

    jwt.keys.lose_keys();
    issuer.keys(&[]);
    assert!(ask(&jwt, &seen).await.unwrap() == identity);
    assert_eq!(issuer.asked("/keys"), 1);
    // This one needs its key, which is not found in a new set either; and what holds is the new set.
    for token in [&unseen, &seen] {
        assert_eq!(refusal(&jwt, token).await, "no key of the issuer fits the token");
    }
    assert_eq!(issuer.asked("/keys"), 2);
}

#[tokio::test]
async fn a_verified_token_ends_when_it_says() {
    let signer = Signer::ed25519();
    let issuer = Issuer::with_keys(&[&signer]).await;
    let (jwt, hand) = accepting(&issuer);
    let jwt = jwt.leeway(Duration::from_secs(5));
    let token = signer.token(&claims(&issuer, json!({ "exp": NOW + 60 })));
    for (seconds, expected) in
        [(0, "none: it is accepted"), (64, "none: it is accepted"), (1, "the token has expired")]
    {
        hand.advance(Duration::from_secs(seconds));
        assert_eq!(refusal(&jwt, &token).await, expected);
    }
    assert_eq!(issuer.asked("/keys"), 1);
}

#[tokio::test]
async fn a_static_token_goes_before_an_issued_one() {
    let signer = Signer::p256();
    let issuer = Issuer::with_keys(&[&signer]).await;
    let mut config = Config::default();
    config.auth_tokens = vec![("operator".into(), "s3cret".into())];
    config.auth_issuer = Some(issuer.url.clone());
    config.auth_audience = Some(AUDIENCE.into());
    config.auth_jwks_url = Some(format!("{}/keys", issuer.url));
    let both = Both(configured(&config).unwrap().unwrap());

    assert_eq!(ask(&both, "s3cret").await.unwrap().subject(), Some("operator"));
    assert_eq!(issuer.asked("/keys"), 0);
    let exp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 600;
    let token = signer.token(&claims(&issuer, json!({ "exp": exp })));
    assert_eq!(ask(&both, &token).await.unwrap().subject(), Some("alice"));
    let old = signer.token(&claims(&issuer, json!({ "exp": exp - 1200 })));
    assert_eq!(refusal(&both, &old).await, "the token has expired");
    assert_eq!(refusal(&both, "s3cret2").await, "this is no signed token (JWT)");

    let resource = both.0.protected_resource().unwrap();
    assert_eq!(
        (resource.resource.as_str(), resource.authorization_servers),
        (AUDIENCE, vec![issuer.url.clone()])
    );
    let nothing_sent = both.0.authenticate(&Headers::default()).await.unwrap_err();
    assert!(!nothing_sent.is_invalid() && !nothing_sent.is_unavailable());
}

/// An authentication of the configuration.
struct Both(std::sync::Arc<dyn Authenticator>);

impl Authenticator for Both {
    fn authenticate<'a>(
        &'a self,
        headers: &'a Headers,
    ) -> crate::BoxFuture<'a, Result<Identity, crate::Unauthorized>> {
        self.0.authenticate(headers)
    }
}

#[test]
fn mistakes_in_the_setup_say_what_to_write() {
    for (issuer, audience, expected) in [
        ("http://login.example", AUDIENCE, "`auth_issuer`: `http://login.example` is not encrypted"),
        ("login.example", AUDIENCE, "`auth_issuer`: `login.example` is no URL of the web"),
        ("https://login.example?a", AUDIENCE, "`auth_issuer`: an issuer has no query"),
        ("https://login.example", "", "`auth_audience`: this is empty"),
    ] {
        let mistake = Jwt::new(issuer, audience).err().unwrap().to_string();
        assert!(mistake.starts_with(expected), "{mistake}");
    }
    let jwt = Jwt::new("https://login.example", AUDIENCE).unwrap();
    let mistake = jwt.jwks_url("http://login.example/keys").err().unwrap().to_string();
    assert!(
        mistake.starts_with("`auth_jwks_url`: `http://login.example/keys` is not encrypted"),
        "{mistake}"
    );
}
