//! An authorization server: signs tokens, and answers at a port of this machine.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::material;

/// A key with which tokens are signed.
pub(super) struct Signer {
    pub(super) header: Header,
    pub(super) key: EncodingKey,
}

impl Signer {
    pub(super) fn rsa(algorithm: Algorithm) -> Self {
        Self::new("rsa", algorithm, EncodingKey::from_rsa_der, material::RSA)
    }

    pub(super) fn p256() -> Self {
        Self::new("p256", Algorithm::ES256, EncodingKey::from_ec_der, material::P256)
    }

    pub(super) fn other_p256() -> Self {
        Self::new("other", Algorithm::ES256, EncodingKey::from_ec_der, material::OTHER_P256)
    }

    pub(super) fn p384() -> Self {
        Self::new("p384", Algorithm::ES384, EncodingKey::from_ec_der, material::P384)
    }

    pub(super) fn ed25519() -> Self {
        Self::new("ed", Algorithm::EdDSA, EncodingKey::from_ed_der, material::ED25519)
    }

    fn new(id: &str, algorithm: Algorithm, key: fn(&[u8]) -> EncodingKey, der: &str) -> Self {
        let header = Header { kid: Some(id.to_owned()), ..Header::new(algorithm) };
        Self { header, key: key(&BASE64_STANDARD.decode(der).unwrap()) }
    }

    /// Changes the header of the tokens.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Header)) -> Self {
        change(&mut self.header);
        self
    }

    pub(super) fn token(&self, claims: &Value) -> String {
        encode(&self.header, claims, &self.key).unwrap()
    }

    /// Returns the public key, without an `alg`.
    pub(super) fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.key, self.header.alg).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        let members = jwk.as_object_mut().unwrap();
        members.remove("alg");
        members.insert("kid".to_owned(), json!(self.header.kid));
        jwk
    }
}

/// Writes a token by hand, with a signature of any bytes.
pub(super) fn by_hand(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    format!(
        "{}.{}.{}",
        part(header.to_string().as_bytes()),
        part(claims.to_string().as_bytes()),
        part(signature)
    )
}

/// What is answered at a path.
#[derive(Clone)]
pub(super) enum Answer {
    Document(String),
    Status(u16),
    /// A document that says to look elsewhere, at another path.
    Moved(String, &'static str),
    /// Nothing, ever.
    Silence,
}

/// An authorization server with its keys at `/keys`.
pub(super) struct Issuer {
    pub(super) url: String,
    paths: Arc<Mutex<HashMap<String, (Answer, usize)>>>,
}

impl Issuer {
    pub(super) async fn with_keys(signers: &[&Signer]) -> Self {
        let issuer = Self::start().await;
        issuer.keys(signers);
        issuer
    }

    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let paths = Arc::<Mutex<HashMap<String, (Answer, usize)>>>::default();
        let served = Arc::clone(&paths);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let paths = Arc::clone(&served);
                let service = service_fn(move |request| answer(Arc::clone(&paths), request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, paths }
    }

    /// Has these keys from now on.
    pub(super) fn keys(&self, signers: &[&Signer]) {
        let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
        self.answers("/keys", Answer::Document(json!({ "keys": keys }).to_string()));
    }

    pub(super) fn answers(&self, path: &str, answer: Answer) {
        self.paths.lock().unwrap().entry(path.to_owned()).or_insert((Answer::Status(404), 0)).0 = answer;
    }

    /// Returns how often a path was asked for.
    pub(super) fn asked(&self, path: &str) -> usize {
        self.paths.lock().unwrap().get(path).map_or(0, |(_, asked)| *asked)
    }
}

async fn answer(
    paths: Arc<Mutex<HashMap<String, (Answer, usize)>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = {
        let mut paths = paths.lock().unwrap();
        let path = paths.entry(request.uri().path().to_owned()).or_insert((Answer::Status(404), 0));
        path.1 += 1;
        path.0.clone()
    };
    let response = Response::builder();
    Ok(match answer {
        Answer::Document(text) => response.body(text.into()),
        Answer::Status(status) => response.status(status).body(Full::default()),
        Answer::Moved(text, path) => response.status(302).header("location", path).body(text.into()),
        Answer::Silence => std::future::pending().await,
    }
    .unwrap())
}
