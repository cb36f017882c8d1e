//! Requests over HTTP/1.1, each on a connection that is kept.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::answer::{Trouble, of_stream};
use super::message::{Era, INITIALIZED, LEGACY, MODERN, Message};

/// How large an answer may be, in bytes.
const MOST: usize = 64 << 20;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// Where the server is, and what every request to it has.
#[derive(Clone, Debug)]
pub(in crate::cli::bench) struct Site {
    host: String,
    port: u16,
    authority: HeaderValue,
    path: String,
    token: Option<HeaderValue>,
    pub(super) era: Era,
    session: Option<HeaderValue>,
}

impl Site {
    /// Reads a URL.
    pub(in crate::cli::bench) fn new(url: &str, token: Option<&str>) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{url}` {why}: write `http://127.0.0.1:8080/mcp`");
        let read: Uri = url.parse().map_err(|_| wrong("is no URL"))?;
        match read.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(format!(
                    "`{url}` is encrypted, and `bench` speaks no TLS: measure the server itself, as in `http://127.0.0.1:8080/mcp`"
                ));
            }
            _ => return Err(wrong("is no URL of HTTP")),
        }
        let authority = read.authority().ok_or_else(|| wrong("has no host"))?;
        if authority.as_str().contains('@') {
            return Err("the URL has a user in it: write it without, and `--token TOKEN`".to_owned());
        }
        let token = token.map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
                "the token has characters that no header has: write it as it was given".to_owned()
            })?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| wrong("has no host"))?,
            path: read.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            token: token.transpose()?,
            era: Era::Modern,
            session: None,
        })
    }
}

/// One connection, which is made again where the server ends it.
pub(super) struct Connection {
    site: Arc<Site>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    pub(super) fn new(site: Arc<Site>) -> Self {
        Self { site, sender: None }
    }

    /// Sends a request and returns the text of its answer.
    pub(super) async fn exchange(&mut self, message: &Message, id: u64) -> Result<Vec<u8>, Trouble> {
        let mut request = Request::post(&self.site.path);
        if self.site.era == Era::Modern {
            request = request.header("mcp-protocol-version", MODERN).header("mcp-method", message.method);
            if let Some(name) = &message.name {
                request = request.header("mcp-name", name);
            }
        }
        let (status, is_stream, body) = self.send(request, message.text(id)).await?.1;
        let text = if is_stream {
            let text = String::from_utf8_lossy(&body);
            of_stream(&text, id)
                .ok_or_else(|| refused(status, "a stream without the answer".to_owned()))?
                .into()
        } else {
            body
        };
        // A refusal may be an answer of the protocol, which says more.
        let is_answer = status == StatusCode::OK || text.starts_with(b"{");
        if is_answer { Ok(text) } else { Err(refused(status, String::from_utf8_lossy(&text).into_owned())) }
    }

    /// Does the handshake of the revisions that have one; returns what all connections then say.
    pub(super) async fn initialize(&mut self) -> Result<Site, Trouble> {
        let mut site = Site { era: Era::Legacy, ..Site::clone(&self.site) };
        self.site = Arc::new(site.clone());
        let message = Message::initialize();
        let (session, (status, is_stream, body)) =
            self.send(Request::post(&site.path), message.text(0)).await?;
        let text = String::from_utf8_lossy(&body);
        let answer = if is_stream { of_stream(&text, 0).unwrap_or_default() } else { text.into_owned() };
        super::answer::result(answer.as_bytes()).map_err(|why| refused(status, why))?;
        site.session = session;
        self.site = Arc::new(site.clone());
        let request = Request::post(&site.path);
        self.send(request, INITIALIZED.to_owned()).await?;
        Ok(site)
    }

    async fn send(
        &mut self,
        request: http::request::Builder,
        body: String,
    ) -> Result<(Option<HeaderValue>, (StatusCode, bool, Vec<u8>)), Trouble> {
        let site = Arc::clone(&self.site);
        let mut request = request
            .header(HOST, site.authority.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream");
        if let Some(token) = &site.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        if let Some(session) = &site.session {
            request =
                request.header("mcp-session-id", session.clone()).header("mcp-protocol-version", LEGACY);
        }
        let mut request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| Trouble::Refused(format!("the request cannot be written: {error}")))?;
        let mut tries = 0;
        let response = loop {
            let sender = self.sender().await?;
            match sender.try_send_request(request).await {
                Ok(response) => break response,
                Err(mut error) => {
                    self.sender = None;
                    tries += 1;
                    // Not sent: the server had ended a connection that was idle, as it may.
                    match error.take_message().filter(|_| tries < 3) {
                        Some(unsent) => request = unsent,
                        None => return Err(Trouble::Refused(format!("no answer: {}", error.error()))),
                    }
                }
            }
        };
        let status = response.status();
        let header = |name: &str| response.headers().get(name).cloned();
        let is_stream =
            header("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let session = header("mcp-session-id");
        let body = Limited::new(response.into_body(), MOST).collect().await.map_err(|error| {
            self.sender = None;
            Trouble::Refused(format!("the answer broke off: {error}"))
        })?;
        Ok((session, (status, is_stream, body.to_bytes().into())))
    }

    async fn sender(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, Trouble> {
        let is_ready = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !is_ready {
            self.sender = None;
        }
        match &mut self.sender {
            Some(sender) => Ok(sender),
            empty => Ok(empty.insert(connected(&self.site).await.map_err(Trouble::Gone)?)),
        }
    }
}

async fn connected(site: &Site) -> Result<SendRequest<Full<Bytes>>, String> {
    let at = format!("{}:{}", site.host, site.port);
    let connecting = async {
        let stream = TcpStream::connect((&*site.host, site.port)).await.map_err(|error| error.to_string())?;
        // A request is one small piece that waits for nothing behind it.
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())
    };
    let (sender, connection) = match tokio::time::timeout(CONNECT, connecting).await {
        Ok(connected) => connected.map_err(|error| format!("no server answers at `{at}`: {error}"))?,
        Err(_) => return Err(format!("no server answers at `{at}` in {CONNECT:?}")),
    };
    // Ends with the sender.
    tokio::spawn(connection);
    Ok(sender)
}

fn refused(status: StatusCode, said: String) -> Trouble {
    Trouble::Refused(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            format!("the server refuses who calls ({status}): write `--token TOKEN` with one that may")
        }
        StatusCode::OK => said,
        _ => format!("the server answers {status}: {}", said.chars().take(200).collect::<String>()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_cannot_be_spoken_to_says_what_to_write() {
        for (url, expected) in [
            ("https://example.com/mcp", "is encrypted, and `bench` speaks no TLS"),
            ("127.0.0.1:8080", "is no URL of HTTP: write `http://127.0.0.1:8080/mcp`"),
            ("ftp://example.com/", "is no URL of HTTP"),
            ("http://a:b@example.com/", "the URL has a user in it"),
            ("no url", "is no URL"),
        ] {
            let error = Site::new(url, None).unwrap_err();
            assert!(error.contains(expected) && !error.contains("a:b@"), "{error}");
        }
        let site = Site::new("http://[::1]:8080/mcp?x=1", Some("t")).unwrap();
        assert_eq!((&*site.host, site.port, &*site.path), ("::1", 8080, "/mcp?x=1"));
        assert!(Site::new("http://h/", Some("a\nb")).unwrap_err().contains("the token has characters"));
    }
}
