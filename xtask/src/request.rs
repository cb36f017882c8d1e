//! What is asked, in the bytes that each transport sends, and what a right answer is.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// The first id; all have as many digits, and so all answers one length.
const FIRST_ID: u64 = 10_000_000;

const ID_DIGITS: usize = 8;

/// What a request of 2026-07-28 says about its client.
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}"#;

/// The first message of a connection before 2026-07-28.
pub(crate) const INITIALIZE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"#,
    r#""clientInfo":{"name":"bench","version":"1"}}}"#,
    "\n"
);

/// The second.
pub(crate) const INITIALIZED: &str =
    concat!(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "\n");

/// The form of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// Self-contained, as of 2026-07-28.
    Modern,
    /// After a handshake of 2025-11-25.
    Legacy,
}

/// What is asked of a server, and what it has to answer.
#[derive(Clone)]
pub(crate) enum Ask {
    /// A call of a tool with these arguments, which answers this text.
    Call { tool: &'static str, arguments: String, text: String },
    /// The list of the tools, of which there are so many.
    List { tools: usize },
}

impl Ask {
    pub(crate) fn call(tool: &'static str, arguments: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Call { tool, arguments: arguments.into(), text: text.into() }
    }

    fn body(&self, era: Era) -> String {
        let meta = if era == Era::Modern { META } else { "" };
        let comma = if era == Era::Modern { "," } else { "" };
        match self {
            Self::Call { tool, arguments, .. } => format!(
                r#"{{"jsonrpc":"2.0","id":{FIRST_ID},"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}{comma}{meta}}}}}"#
            ),
            Self::List { .. } => {
                format!(r#"{{"jsonrpc":"2.0","id":{FIRST_ID},"method":"tools/list","params":{{{meta}}}}}"#)
            }
        }
    }

    /// Returns the request as a line of stdio.
    pub(crate) fn line(&self, era: Era) -> Request {
        Request::new(self.body(era) + "\n")
    }

    /// Returns the request as one of Streamable HTTP of 2026-07-28.
    pub(crate) fn http(&self, host: &str) -> Request {
        let body = self.body(Era::Modern);
        let of = match self {
            Self::Call { tool, .. } => format!("mcp-method: tools/call\r\nmcp-name: {tool}\r\n"),
            Self::List { .. } => "mcp-method: tools/list\r\n".to_owned(),
        };
        Request::new(format!(
            "POST /mcp HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\nmcp-protocol-version: 2026-07-28\r\n\
             {of}content-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Checks an answer's message.
    pub(crate) fn check(&self, answer: &[u8]) -> Result<()> {
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(400)]);
        let message: Value =
            serde_json::from_slice(answer).with_context(|| format!("the answer is no JSON: {shown}"))?;
        let Some(result) = message.get("result") else { bail!("the answer is an error: {shown}") };
        match self {
            Self::Call { text, .. } => {
                let said = result.pointer("/content/0/text").and_then(Value::as_str);
                let failed = result.get("isError").and_then(Value::as_bool).unwrap_or(false);
                ensure!(said == Some(text) && !failed, "the answer is not the expected one: {shown}");
            }
            Self::List { tools } => {
                let count = result.get("tools").and_then(Value::as_array).map(Vec::len);
                ensure!(count == Some(*tools), "the list has {count:?} tools, not {tools}: {shown}");
            }
        }
        Ok(())
    }
}

/// The bytes of a request, in which only the id changes.
#[derive(Clone)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    id_at: usize,
}

impl Request {
    fn new(text: String) -> Self {
        let id = format!(r#""id":{FIRST_ID}"#);
        let id_at = text.find(&id).map_or(0, |at| at + id.len() - ID_DIGITS);
        Self { bytes: text.into_bytes(), id_at }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes the id of the request with this number, up to 89,999,999.
    pub(crate) fn number(&mut self, number: u64) {
        let mut id = FIRST_ID + number;
        for digit in self.bytes[self.id_at..self.id_at + ID_DIGITS].iter_mut().rev() {
            *digit = b'0' + (id % 10) as u8;
            id /= 10;
        }
    }
}

/// Returns the number of the request that a message answers.
pub(crate) fn answered(message: &[u8]) -> Result<u64> {
    let at = message.windows(5).position(|window| window == br#""id":"#).context("an answer has no id")?;
    let digits = message[at + 5..].iter().take_while(|byte| byte.is_ascii_digit());
    let id = digits.fold(0, |id, digit| id * 10 + u64::from(digit - b'0'));
    id.checked_sub(FIRST_ID).context("an answer has an id that was not asked with")
}
