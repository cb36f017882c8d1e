//! The requests, written as data, and what is sent for them.

mod calls;
mod headers;
mod lines;
mod shapes;
mod tools;

mod found;

use super::servers::Kind;
pub use lines::LINES;

/// The text of a message, with the marks that [`written`] replaces.
pub type Text = &'static str;

/// A request as it is sent.
#[derive(Clone, Debug)]
pub struct Request {
    pub name: String,
    pub server: Kind,
    pub verb: String,
    pub headers: Vec<(String, String)>,
    /// With the mark `$META` for the `_meta` of an era.
    pub body: Vec<u8>,
    /// Whether it is its headers that matter: then it is not sent over pipes.
    pub http_only: bool,
}

impl Request {
    pub fn new(name: impl Into<String>, body: Vec<u8>) -> Self {
        let mut headers = vec![
            ("host".to_owned(), "127.0.0.1".to_owned()),
            ("accept".to_owned(), "application/json, text/event-stream".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("mcp-protocol-version".to_owned(), harness::MODERN.to_owned()),
        ];
        let text = String::from_utf8_lossy(&body);
        if let Some(method) = member(&text, "method") {
            let name = match method.as_str() {
                "tools/call" | "prompts/get" => member(&text, "name"),
                "resources/read" | "resources/subscribe" | "resources/unsubscribe" => member(&text, "uri"),
                _ => None,
            };
            headers.push(("mcp-method".to_owned(), method));
            headers.extend(name.map(|name| ("mcp-name".to_owned(), name)));
        }
        let verb = "POST".to_owned();
        Self { name: name.into(), server: Kind::Open, verb, headers, body, http_only: false }
    }

    /// Changes the headers as a row of the corpus says.
    fn changed(mut self, server: Kind, changes: &[&str]) -> Self {
        (self.server, self.http_only) = (server, true);
        for change in changes {
            match (change.split_once(':'), change.strip_prefix('-')) {
                (_, Some(name)) => self.headers.retain(|(known, _)| known != name),
                (Some((name, value)), None) => {
                    let added = name.strip_prefix('+');
                    if added.is_none() {
                        self.headers.retain(|(known, _)| known != name);
                    }
                    self.headers.push((added.unwrap_or(name).to_owned(), value.to_owned()));
                }
                (None, None) => self.verb = (*change).to_owned(),
            }
        }
        self
    }

    /// Writes the request as a row of [`found`], with its headers where they matter.
    pub fn row(&self, with_headers: bool) -> String {
        let plain = Self::new("", self.body.clone());
        let Ok(body) = std::str::from_utf8(&self.body) else {
            return format!("BYTES: ({:?}, \"\", b\"{}\", \"\"),", self.name, self.body.escape_ascii());
        };
        if !with_headers || (plain.headers == self.headers && self.server == Kind::Open) {
            return format!("SHAPES: ({:?}, {body:?}),", self.name);
        }
        let without = plain.headers.iter().map(|(name, _)| format!("-{name}"));
        let with = self.headers.iter().map(|(name, value)| format!("+{name}: {value}"));
        let changes: Vec<_> = without.chain(with).collect();
        format!("HEADERS ({:?}): ({:?}, {body:?}, &{changes:?}),", self.server, self.name)
    }

    /// Returns the body with the `_meta` of an era: of 2026-07-28, or of those before.
    pub fn body(&self, modern: bool) -> Vec<u8> {
        const META: &str = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
        replaced(&self.body, b"$META", if modern { META } else { "{}" }.as_bytes())
    }
}

/// Returns all requests.
pub fn requests() -> Vec<Request> {
    let tools = tools::TOOLS.iter().map(|params| ("tools/call", *params));
    let calls = tools.chain(calls::CALLS.iter().chain(found::CALLS).copied()).map(|(method, params)| {
        let comma = if params.is_empty() { "" } else { "," };
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{comma}"_meta":$META}}}}"#
        );
        let space = if params.is_empty() { "" } else { " " };
        Request::new(format!("{method}{space}{params}"), written(&body))
    });
    let shapes = shapes::SHAPES.iter().chain(found::SHAPES);
    let shapes = shapes.map(|(name, body)| Request::new(*name, written(body)));
    let bytes = shapes::BYTES.iter().chain(found::BYTES).map(|(name, before, bytes, behind)| {
        Request::new(*name, [before.as_bytes(), bytes, behind.as_bytes()].concat())
    });
    let with_headers = [
        (Kind::Open, "header", headers::HEADERS),
        (Kind::Guarded, "caller", headers::GUARDED),
        (Kind::Open, "found", found::HEADERS),
    ];
    let with_headers = with_headers.into_iter().flat_map(|(server, group, rows)| {
        let with = move |(name, body, changes): &(&str, Text, &[&str])| {
            Request::new(format!("{group}: {name}"), written(body)).changed(server, changes)
        };
        rows.iter().map(with)
    });
    calls.chain(shapes).chain(bytes).chain(with_headers).collect()
}

/// Writes out what marks stand for, all but `$META`.
pub fn written(text: &str) -> Vec<u8> {
    let mut written = text.replace("$LONG", &"x".repeat(2000));
    while let Some(at) = written.find("$NEST") {
        let digits: String = written[at + 5..].chars().take_while(char::is_ascii_digit).collect();
        let levels = digits.parse().unwrap();
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        written.replace_range(at..at + 5 + digits.len(), &nested);
    }
    written.into_bytes()
}

/// Returns the first text that a message gives a member, whether the message is whole or not.
fn member(message: &str, name: &str) -> Option<String> {
    let (_, behind) = message.split_once(&format!(r#""{name}""#))?;
    let behind = behind.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let end = behind.find('"')?;
    let text: String = mcp_server::serde_json::from_str(&format!("\"{}\"", &behind[..end])).ok()?;
    // What no header can hold stays out of it.
    (!text.contains(['\r', '\n', '\0'])).then_some(text)
}

/// Returns whether a message may be one whose answer does not come by itself, or not without its client.
pub fn is_endless(message: &[u8]) -> bool {
    let text = String::from_utf8_lossy(message);
    ["subscriptions/listen", r#""asks""#, "talk"].iter().any(|endless| text.contains(endless))
}

fn replaced(bytes: &[u8], mark: &[u8], by: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len() + 128);
    let mut rest = bytes;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(by);
        rest = &rest[at + mark.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}
