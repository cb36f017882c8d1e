//! What the lanes may differ in, and what allows it.

use super::ways::Seen;

/// A request whose answers differ, as they may.
pub struct Difference {
    pub request: &'static str,
    /// The ways on which they differ.
    pub over: &'static [&'static str],
    /// A part of the answer of the lane.
    pub lane: &'static str,
    /// A part of the answer without it; empty where that is no result.
    pub rmcp: &'static str,
    /// What decides it: the sentence, and where it stands.
    pub because: &'static str,
}

impl Difference {
    pub fn of(request: &str, way: &str) -> Option<&'static Self> {
        DIFFERENCES.iter().find(|difference| difference.request == request && difference.over.contains(&way))
    }

    pub fn is_as_listed(&self, seen: &Seen) -> bool {
        assert!(!self.because.is_empty());
        let plain = seen.plain.normal();
        let is_of_rmcp =
            if self.rmcp.is_empty() { !plain.contains(r#""result""#) } else { plain.contains(self.rmcp) };
        seen.lane.normal().contains(self.lane) && is_of_rmcp
    }
}

/// The ways on which the lane takes requests.
const LANE: &[&str] = &[
    "http",
    "pipes first",
    "pipes lane",
    "pipes modern",
    "pipes 2025-06-18",
    "pipes 2025-11-25",
    "pipes 2025-11-25, then modern",
];

/// These, and those on which it takes a request that says itself that it is of 2026-07-28.
const MODERN: &[&str] = &[
    "http",
    "pipes first",
    "pipes lane",
    "pipes modern",
    "pipes 2024-11-05",
    "pipes 2025-03-26",
    "pipes 2025-06-18",
    "pipes 2025-11-25",
    "pipes 2025-11-25, then modern",
];

const LINES: &[&str] = &["lines"];

/// Numbers beyond 64 bits reach the function as they were written.
const EXACT: &str = "RFC 8259, section 6: \"This specification allows implementations to set limits on the range \
                     and precision of numbers accepted.\"";

/// rmcp turns `-0` into a number with a fraction.
const ZERO: &str = r#"JSON Schema 2020-12, Validation, section 6.1.1: "integer" "matches any number with a zero fractional part""#;

/// What nobody looks at may be as deep as it likes.
const DEEP: &str =
    "RFC 8259, section 9: \"An implementation may set limits on the maximum depth of nesting.\"";

/// What nobody looks at may be as large as it likes.
const LARGE: &str =
    "RFC 8259, section 9: \"An implementation may set limits on the range and precision of numbers.\"";

/// What nobody looks at may be half a character.
const HALF: &str = "RFC 8259, section 8.2, of text with lone surrogates: \"the behavior of software that receives \
                    JSON texts containing such values is unpredictable\"";

/// rmcp does not know of requests that the lane has answered, and begins with the handshake.
const DUAL_ERA: &str = "MCP 2026-07-28, basic/versioning, Backward Compatibility: \"An `initialize` request selects \
                        legacy semantics, scoped to the stdio process\", and \"A dual-era server MAY serve both \
                        eras concurrently on the same endpoint or process.\"";

const ID_ONCE: &str = "MCP 2026-07-28, basic, Requests: \"The request ID MUST NOT match the ID of any other request the \
                       sender has issued and not yet received a response for.\"";

const fn difference(
    request: &'static str,
    over: &'static [&'static str],
    lane: &'static str,
    rmcp: &'static str,
    because: &'static str,
) -> Difference {
    Difference { request, over, lane, rmcp, because }
}

pub const DIFFERENCES: &[Difference] = &[
    difference(
        r#"tools/call "name":"numbers","arguments":{"wide":-0}"#,
        LANE,
        "Some(0)",
        "invalid arguments",
        ZERO,
    ),
    difference(
        r#"tools/call "name":"numbers","arguments":{"wide":18446744073709551616}"#,
        LANE,
        "Some(18446744073709551616)",
        "invalid arguments",
        EXACT,
    ),
    difference(
        r#"tools/call "name":"numbers","arguments":{"wide":-170141183460469231731687303715884105728}"#,
        LANE,
        "Some(-170141183460469231731687303715884105728)",
        "invalid arguments",
        EXACT,
    ),
    difference(
        r#"tools/call "name":"echo","arguments":{"value":$NEST126}"#,
        LANE,
        "structuredContent",
        "",
        DEEP,
    ),
    difference(
        r#"tools/call "name":"search","arguments":{"query":"x","more":$NEST200}"#,
        LANE,
        "Search {",
        "",
        DEEP,
    ),
    difference(
        r#"tools/call "name":"search","arguments":{"query":"x","more":1e400}"#,
        LANE,
        "Search {",
        "",
        LARGE,
    ),
    difference(
        r#"tools/call "name":"search","arguments":{"query":"x","more":"\ud800"}"#,
        LANE,
        "Search {",
        "",
        HALF,
    ),
    difference(r#"tools/list "arguments":[$NEST200]"#, LANE, r#""tools":"#, "", DEEP),
    difference(r#"tools/list "arguments":1e400"#, LANE, r#""tools":"#, "", LARGE),
    difference(r#"tools/list "arguments":"\udfff""#, LANE, r#""tools":"#, "", HALF),
    difference("meta unknown member deep", MODERN, r#""text":"line"#, "", DEEP),
    difference("meta unknown member too large", MODERN, r#""text":"line"#, "", LARGE),
    difference("meta unknown member lone surrogate", MODERN, r#""text":"line"#, "", HALF),
    difference(
        "modern, then the handshake",
        LINES,
        r#""id":2,"jsonrpc":"2.0","result""#,
        r#""code":-32602"#,
        DUAL_ERA,
    ),
    difference(
        "two calls of one id, and one is cancelled",
        LINES,
        r#""id":1,"jsonrpc":"2.0","result""#,
        r#""id":3,"jsonrpc":"2.0","result""#,
        ID_ONCE,
    ),
];
