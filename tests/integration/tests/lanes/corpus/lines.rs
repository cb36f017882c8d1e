//! Requests that depend on what was said before them on their connection: a name, and all lines.

use super::Text;

/// Each line is sent when the answers to those before have come, if they come soon.
pub const LINES: &[(&str, &[Text])] = &[
    ("modern, then the handshake", &[MODERN_LIST, INITIALIZE, INITIALIZED, LEGACY_LIST]),
    ("the handshake twice", &[INITIALIZE, INITIALIZED, LEGACY_LIST, INITIALIZE, INITIALIZED, LEGACY_LIST]),
    ("the handshake, then modern", &[INITIALIZE, INITIALIZED, MODERN_LIST, LEGACY_LIST]),
    ("modern before the handshake is over", &[INITIALIZE, MODERN_LIST, INITIALIZED, MODERN_LIST]),
    ("legacy before the handshake is over", &[INITIALIZE, LEGACY_LIST, INITIALIZED, LEGACY_LIST]),
    ("legacy before the handshake", &[LEGACY_LIST, INITIALIZE, INITIALIZED, LEGACY_LIST]),
    ("modern, then what is none", &[MODERN_LIST, "nonsense", "", MODERN_LIST, DISCOVER]),
    ("modern, then notifications", &[MODERN_LIST, INITIALIZED, CANCELLED, MODERN_LIST]),
    (
        "modern, then a notification behind a BOM",
        &[MODERN_LIST, "\u{feff}{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", DISCOVER],
    ),
    ("modern, then a response", &[MODERN_LIST, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, DISCOVER]),
    (
        "modern, then an error",
        &[MODERN_LIST, r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#, DISCOVER],
    ),
    (
        "modern, then a request without an id",
        &[MODERN_LIST, r#"{"jsonrpc":"2.0","method":"tools/list","params":{"_meta":$META}}"#, DISCOVER],
    ),
    (
        "modern, then an unknown request without an id",
        &[MODERN_LIST, r#"{"jsonrpc":"2.0","method":"x/y"}"#, DISCOVER],
    ),
    ("modern, then a batch", &[MODERN_LIST, r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, DISCOVER]),
    (
        "modern, then an invalid message",
        &[MODERN_LIST, r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, DISCOVER],
    ),
    (
        "modern, then an unknown method",
        &[MODERN_LIST, r#"{"jsonrpc":"2.0","id":7,"method":"x/y","params":{"_meta":$META}}"#, DISCOVER],
    ),
    ("modern, then ping", &[MODERN_LIST, r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, DISCOVER]),
    ("ping first", &[r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#, MODERN_LIST, DISCOVER]),
    ("a call is cancelled", &[SLOW, CANCELLED, DISCOVER]),
    ("a call is cancelled after the handshake", &[INITIALIZE, INITIALIZED, SLOW, CANCELLED, LEGACY_LIST]),
    ("a call is cancelled twice", &[SLOW, CANCELLED, CANCELLED, DISCOVER]),
    ("a call is not cancelled by an id of another kind", &[SLOW_TEXT_ID, CANCELLED, DISCOVER]),
    (
        "a call is cancelled with an escaped id",
        &[
            SLOW_TEXT_ID,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"\u0031"}}"#,
            DISCOVER,
        ],
    ),
    (
        "a call is cancelled with a fraction",
        &[
            SLOW,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1.0}}"#,
            DISCOVER,
        ],
    ),
    (
        "a call is cancelled by a request",
        &[
            SLOW,
            r#"{"jsonrpc":"2.0","id":8,"method":"notifications/cancelled","params":{"requestId":1,"_meta":$META}}"#,
            DISCOVER,
        ],
    ),
    (
        "a call is cancelled by position",
        &[SLOW, r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":[1]}"#, DISCOVER],
    ),
    ("a call is cancelled by a batch", &[SLOW, r#"["notifications/cancelled",{"requestId":1}]"#, DISCOVER]),
    (
        "a call is cancelled without a version",
        &[SLOW, r#"{"method":"notifications/cancelled","params":{"requestId":1}}"#, DISCOVER],
    ),
    (
        "a call is cancelled with a reason",
        &[
            SLOW,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"x"}}"#,
            DISCOVER,
        ],
    ),
    (
        "a call is cancelled with a wrong reason",
        &[
            SLOW,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":5}}"#,
            DISCOVER,
        ],
    ),
    ("two calls of one id, and one is cancelled", &[SLOW, SLOW, CANCELLED, DISCOVER]),
    ("an id twice", &[MODERN_LIST, MODERN_LIST, MODERN_LIST]),
    ("a tool is switched off", &[SWITCH_OFF, MODERN_LIST, CALL_TEXT, SWITCH_ON, MODERN_LIST, CALL_TEXT]),
];

const SLOW: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow","_meta":$META}}"#;
const SLOW_TEXT_ID: Text =
    r#"{"jsonrpc":"2.0","id":"1","method":"tools/call","params":{"name":"slow","_meta":$META}}"#;
const MODERN_LIST: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META}}"#;
const LEGACY_LIST: Text = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;
const DISCOVER: Text = r#"{"jsonrpc":"2.0","id":3,"method":"server/discover","params":{"_meta":$META}}"#;
const INITIALIZE: Text = r#"{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#;
const INITIALIZED: Text = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const CANCELLED: Text = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
const CALL_TEXT: Text =
    r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"text","_meta":$META}}"#;
const SWITCH_OFF: Text = r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"switch","arguments":{"name":"text","on":false},"_meta":$META}}"#;
const SWITCH_ON: Text = r#"{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"switch","arguments":{"name":"text","on":true},"_meta":$META}}"#;
