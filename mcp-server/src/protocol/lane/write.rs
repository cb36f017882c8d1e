//! Answers as bytes: what belongs to the request, around what was written when the result was made.

use bytes::Bytes;
use mcp_core::cache::CacheOutcome;
use mcp_core::component::Kind;
use rmcp::model::{ErrorCode, ErrorData, ServerResult};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::dispatch::Answer;
use crate::operation::{Ended, Ending};
use crate::protocol::render::{self, Target};

/// Up to this size an answer is sent in one piece: a copy costs the socket less than three pieces do.
#[cfg(feature = "http")]
const SMALL: usize = 4096;

/// An answer in three pieces, the middle one of which is what the cache holds.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) head: Bytes,
    pub(crate) payload: Bytes,
    pub(crate) tail: Bytes,
    /// Whether the payload lives on in the cache, and will be sent again.
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "only HTTP compresses"))]
    pub(crate) kept: bool,
}

impl Written {
    fn new(head: Vec<u8>, payload: Bytes, tail: &'static [u8]) -> Self {
        Self { head: head.into(), payload, tail: Bytes::from_static(tail), kept: false }
    }

    fn whole(message: Vec<u8>) -> Self {
        Self::new(message, Bytes::new(), b"")
    }

    /// Returns how many bytes it has.
    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.payload.len() + self.tail.len()
    }

    /// Returns the pieces in their order, of which a small answer has one.
    #[cfg(feature = "http")]
    pub(crate) fn pieces(self) -> [Bytes; 3] {
        let length = self.len();
        if length > SMALL || length == self.head.len() {
            return [self.head, self.payload, self.tail];
        }
        let mut all = Vec::with_capacity(length);
        for piece in [&self.head, &self.payload, &self.tail] {
            all.extend_from_slice(piece);
        }
        [all.into(), Bytes::new(), Bytes::new()]
    }
}

/// Writes the answer of a result that is the same for everybody.
pub(super) fn list(id: &str, result: Bytes) -> Written {
    Written { kept: true, ..Written::new(opened(id, "result", 0), result, b"}") }
}

/// Writes the answer of a call; returns how the call ended as well.
pub(super) fn result(id: &str, target: &Target<'_>, uri: Option<&str>, answer: Answer) -> (Written, Ended) {
    let kept = matches!(answer.cache, CacheOutcome::Memory | CacheOutcome::Stale);
    let plain = match &answer.result {
        Ok(body) => plain(id, target, uri, body, &answer),
        Err(_) => None,
    };
    match plain {
        Some(written) => {
            let ending = if answer.failed { Ending::TOOL_ERROR } else { Ending::OK };
            (Written { kept, ..written }, ending.into())
        }
        None => typed(id, target, uri, answer),
    }
}

/// Writes a result whose bytes are what the revision wants; `None` where they must change.
fn plain(id: &str, target: &Target<'_>, uri: Option<&str>, body: &Bytes, answer: &Answer) -> Option<Written> {
    let def = target.entry.def;
    let mut head = opened(id, "result", 128 + uri.map_or(0, str::len));
    head.push(b'{');
    if target.modern {
        head.extend_from_slice(br#""resultType":"complete","#);
    }
    match def.kind {
        Kind::Tool(_) if target.modern || is_legacy(body, target) => {}
        Kind::Tool(_) => return None,
        Kind::Resource(_) => {
            if target.modern {
                member(&mut head, "ttlMs", &render::millis(answer.fresh_for))?;
                member(&mut head, "cacheScope", &render::scope(answer.scope))?;
            }
            return part(head, uri?, body);
        }
        // A prompt.
        _ => {
            if !def.description.is_empty() {
                member(&mut head, "description", def.description)?;
            }
        }
    }
    // The object goes on behind its brace; it has at least the blocks or the messages.
    Some(Written::new(head, body.slice(1..), b"}"))
}

/// Writes the one part of a resource, with the URI that was asked for where it has none of its own.
fn part(mut head: Vec<u8>, uri: &str, body: &Bytes) -> Option<Written> {
    #[derive(Deserialize)]
    struct Read<'a> {
        #[serde(borrow)]
        contents: [&'a RawValue; 1],
    }
    #[derive(Deserialize)]
    struct Part {
        uri: Option<serde::de::IgnoredAny>,
    }
    const BEFORE: usize = r#"{"contents":[{"#.len();

    let Read { contents: [part] } = serde_json::from_slice(body).ok()?;
    let has_uri = serde_json::from_str::<Part>(part.get()).ok()?.uri.is_some();
    if has_uri {
        return Some(Written::new(head, body.slice(1..), b"}"));
    }
    head.extend_from_slice(br#""contents":[{"#);
    member(&mut head, "uri", uri)?;
    Some(Written::new(head, body.slice(BEFORE..), b"}"))
}

/// Returns whether a tool's result has the form of the revisions before 2026-07-28 already.
fn is_legacy(body: &Bytes, target: &Target<'_>) -> bool {
    let structured = || std::str::from_utf8(body).is_ok_and(|body| body.contains(r#""structuredContent":"#));
    target.entry.object_output == Some(true) || !structured()
}

/// Writes what is not written yet: failures, and results that a revision wants in another form.
fn typed(id: &str, target: &Target<'_>, uri: Option<&str>, answer: Answer) -> (Written, Ended) {
    let result = match (target.entry.def.kind, uri) {
        (Kind::Tool(_), _) => render::tool(target, answer).map(ServerResult::from),
        (Kind::Resource(_), uri) => {
            render::resource(target, uri.unwrap_or_default(), answer).map(ServerResult::from)
        }
        _ => render::prompt(target, answer).map(ServerResult::from),
    };
    let ended = Ended::of(&result, target.modern);
    let written = match result {
        Ok(result) => closed(id, "result", &finished(result, target.modern)),
        Err(mut error) => {
            if target.modern && error.code == ErrorCode::RESOURCE_NOT_FOUND {
                error.code = ErrorCode::INVALID_PARAMS;
            }
            closed(id, "error", &error)
        }
    };
    (Written::whole(written), ended)
}

/// Brings a result into the form of its era, as rmcp does with each result of its handler.
pub(super) fn finished(mut result: ServerResult, modern: bool) -> ServerResult {
    if modern {
        result.fill_missing_cache_hints();
    } else {
        result.strip_result_type_for_legacy_peer();
        result.strip_non_object_output_for_legacy_peer();
    }
    result
}

fn closed(id: &str, member: &str, value: &impl Serialize) -> Vec<u8> {
    let mut message = opened(id, member, 256);
    let start = message.len();
    if let Err(error) = serde_json::to_writer(&mut message, value) {
        tracing::error!(%error, "an answer has no form in JSON");
        message.truncate(start - member.len() - 3);
        let error = ErrorData::internal_error("the answer has no form in JSON", None);
        message.extend_from_slice(br#""error":"#);
        message.extend(serde_json::to_vec(&error).unwrap_or_default());
    }
    message.push(b'}');
    message
}

/// Begins an answer: `{"jsonrpc":"2.0","id":1,"result":`.
fn opened(id: &str, member: &str, room: usize) -> Vec<u8> {
    let mut head = Vec::with_capacity(40 + id.len() + room);
    for piece in [r#"{"jsonrpc":"2.0","id":"#, id, r#",""#, member, r#"":"#] {
        head.extend_from_slice(piece.as_bytes());
    }
    head
}

/// Writes a member of an object, and the comma behind it.
fn member(head: &mut Vec<u8>, name: &str, value: &(impl Serialize + ?Sized)) -> Option<()> {
    for piece in [r#"""#, name, r#"":"#] {
        head.extend_from_slice(piece.as_bytes());
    }
    serde_json::to_writer(&mut *head, value).ok()?;
    head.push(b',');
    Some(())
}
