//! What became of an operation.

use std::borrow::Cow;

use rmcp::model::{
    CallToolResponse, CallToolResult, CompleteResult, CustomResult, DiscoverResult, ErrorCode, ErrorData,
    GetPromptResponse, InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, ProtocolVersion, ReadResourceResponse, ServerResult,
};

/// How an operation ended: one of few ways, each of which has time series of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending(u8);

/// The codes of JSON-RPC and of the protocol.
const CODES: [(i32, &str); 10] = [
    (-32700, "-32700"),
    (-32600, "-32600"),
    (-32601, "-32601"),
    (-32602, "-32602"),
    (-32002, "-32002"),
    (-32603, "-32603"),
    (-32020, "-32020"),
    (-32021, "-32021"),
    (-32022, "-32022"),
    (0, "_OTHER"),
];

/// How many of the codes say that the client is wrong, and are no errors of the server.
const OF_CLIENTS: usize = 5;

impl Ending {
    pub(crate) const OK: Self = Self(0);
    pub(crate) const TOOL_ERROR: Self = Self(1);
    /// Nobody waited for the answer any more.
    pub(crate) const CANCELLED: Self = Self(2);
    const FIRST_CODE: usize = 3;
    pub(super) const COUNT: usize = Self::FIRST_CODE + CODES.len();

    fn of_code(code: ErrorCode) -> Self {
        let known = CODES.iter().position(|(known, _)| *known == code.0).unwrap_or(CODES.len() - 1);
        Self((Self::FIRST_CODE + known) as u8)
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    fn code(self) -> Option<usize> {
        self.index().checked_sub(Self::FIRST_CODE)
    }

    /// Returns `rpc.response.status_code`.
    pub(super) fn status_code(self) -> Option<&'static str> {
        CODES.get(self.code()?).map(|(_, text)| *text)
    }

    /// Returns `error.type`, of what is an error on the server's side.
    pub(super) fn error_type(self) -> Option<&'static str> {
        match self {
            Self::OK => None,
            Self::TOOL_ERROR => Some("tool_error"),
            Self::CANCELLED => Some("cancelled"),
            _ if self.code().is_some_and(|code| code < OF_CLIENTS) => None,
            _ => self.status_code(),
        }
    }
}

/// How an operation ended, with what is to be said of it.
#[derive(Debug)]
#[cfg_attr(not(feature = "otel"), allow(dead_code, reason = "the text is for spans alone"))]
pub(crate) struct Ended {
    pub(super) ending: Ending,
    /// What the client is told of an error, in words of this server's own.
    pub(super) message: Option<Cow<'static, str>>,
    /// The revision that a handshake settled on.
    pub(super) revision: Option<ProtocolVersion>,
}

impl From<Ending> for Ended {
    fn from(ending: Ending) -> Self {
        Self { ending, message: None, revision: None }
    }
}

impl Ended {
    /// Looks at an answer of the protocol; `modern`: it is in revision 2026-07-28.
    pub(crate) fn of<T: Outcome>(answer: &Result<T, ErrorData>, modern: bool) -> Self {
        match answer {
            Ok(result) if result.is_tool_error() => Ending::TOOL_ERROR.into(),
            Ok(result) => Self { revision: result.revision(), ..Ending::OK.into() },
            // rmcp says it in this code to who expects it.
            Err(error) if modern && error.code == ErrorCode::RESOURCE_NOT_FOUND => {
                Ending::of_code(ErrorCode::INVALID_PARAMS).into()
            }
            Err(error) => Self {
                // What a component's author words may hold what it was called with.
                message: error.message.starts_with("internal error").then(|| error.message.clone()),
                ..Ending::of_code(error.code).into()
            },
        }
    }
}

/// What an operation needs to know of a result.
pub(crate) trait Outcome {
    fn is_tool_error(&self) -> bool {
        false
    }

    fn revision(&self) -> Option<ProtocolVersion> {
        None
    }
}

impl Outcome for ServerResult {
    fn is_tool_error(&self) -> bool {
        matches!(self, Self::CallToolResult(CallToolResult { is_error: Some(true), .. }))
    }

    fn revision(&self) -> Option<ProtocolVersion> {
        match self {
            Self::InitializeResult(result) => Outcome::revision(result),
            _ => None,
        }
    }
}

impl Outcome for CallToolResponse {
    fn is_tool_error(&self) -> bool {
        matches!(self, Self::Complete(CallToolResult { is_error: Some(true), .. }))
    }
}

impl Outcome for InitializeResult {
    fn revision(&self) -> Option<ProtocolVersion> {
        Some(self.protocol_version.clone())
    }
}

impl Outcome for () {}
impl Outcome for CompleteResult {}
impl Outcome for CustomResult {}
impl Outcome for DiscoverResult {}
impl Outcome for GetPromptResponse {}
impl Outcome for ListPromptsResult {}
impl Outcome for ListResourceTemplatesResult {}
impl Outcome for ListResourcesResult {}
impl Outcome for ListToolsResult {}
impl Outcome for ReadResourceResponse {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_do_wrong_is_no_error_of_the_server() {
        for (code, error) in [
            (-32700, None),
            (-32600, None),
            (-32601, None),
            (-32602, None),
            (-32002, None),
            (-32603, Some("-32603")),
            (-32022, Some("-32022")),
            (-31999, Some("_OTHER")),
        ] {
            let ending = Ending::of_code(ErrorCode(code));
            assert_eq!(ending.error_type(), error, "{code}");
            let expected = if code == -31999 { "_OTHER".to_owned() } else { code.to_string() };
            assert_eq!(ending.status_code(), Some(&*expected));
        }
        assert_eq!((Ending::OK.error_type(), Ending::OK.status_code()), (None, None));
        assert_eq!(Ending::TOOL_ERROR.error_type(), Some("tool_error"));
        assert_eq!(Ending::TOOL_ERROR.status_code(), None);
    }

    #[test]
    fn only_words_of_the_server_are_kept() {
        let of = |message: &'static str| {
            Ended::of(&Err::<(), _>(ErrorData::internal_error(message, None)), true).message
        };
        assert_eq!(of("internal error (id 7)").as_deref(), Some("internal error (id 7)"));
        assert_eq!(of("no row for `secret`"), None);
    }
}
