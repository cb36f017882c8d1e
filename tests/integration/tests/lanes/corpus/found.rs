//! Requests that the fuzzer found: answered in two ways once, or still, where a rule allows it.

/// As [`calls`](super::calls).
pub const CALLS: &[(&str, &str)] = &[("tools/call", r#""name":"numbers","arguments":{"wide":-0}"#)];

/// As [`shapes`](super::shapes).
pub const SHAPES: &[(&str, &str)] = &[
    (
        "found: a version of the future and wrong capabilities",
        r#"{"jsonrpc":"2.0","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01","io.modelcontextprotocol/clientCapabilities":"bare"}},"method":"tools/list","id":1}"#,
    ),
    (
        "found: BOM before a notification",
        "\u{feff}{\"jsonrpc\":\"2.0\",\"{id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{}}}",
    ),
    (
        "found: a call by position",
        r#"["2.0","kept","prompts/get",{"name":"bare","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}]"#,
    ),
    (
        "found: no members in an array",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"text","_meta":[]}}"#,
    ),
    (
        "found: meta by position, with capabilities",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":["2026-07-28",{"task":[1]}]}}"#,
    ),
];

/// As [`shapes`](super::shapes).
pub const BYTES: &[(&str, &str, &[u8], &str)] = &[];

/// As [`headers`](super::headers).
pub const HEADERS: &[(&str, &str, &[&str])] = &[
    (
        "a host with a list behind its port",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2},"_meta":$META}}"#,
        &["host: [::1]:80,, x"],
    ),
    (
        "a call by position and the token",
        r#"["2.0",1,"tools/call",{"name":"whoami","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}]"#,
        &["mcp-method: tools/call", "mcp-name: whoami"],
    ),
];
