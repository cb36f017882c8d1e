//! Requests whose headers are in question: a name, a right request, and what is changed about it.

use super::Text;

const ADD: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2},"_meta":$META}}"#;
const LIST: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META}}"#;
const READ: Text =
    r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"lanes://path/ü","_meta":$META}}"#;
const FIXED: Text =
    r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"lanes://fixed","_meta":$META}}"#;
const PROMPT: Text =
    r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"bare","_meta":$META}}"#;
const TALKS: Text =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"talks","_meta":$META}}"#;
const REGION: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"region","arguments":{"region":"eu","count":1.50,"flag":true},"_meta":$META}}"#;
const REGION_NULL: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"region","arguments":{"region":null},"_meta":$META}}"#;
const REGION_UMLAUT: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"region","arguments":{"region":"ü"},"_meta":$META}}"#;
const REGION_SENTINEL: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"region","arguments":{"region":"=?base64?ZXU=?="},"_meta":$META}}"#;
const REGION_TWICE: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"region","arguments":{"region":"us","region":"eu"},"_meta":$META}}"#;
const REGION_MISTYPED: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"region","arguments":{"region":5},"_meta":$META}}"#;
const REGION_LARGE: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"region","arguments":{"count":18446744073709551616},"_meta":$META}}"#;
const BY_POSITION: Text = r#"["2.0",1,"tools/list",{"_meta":$META}]"#;
const PARAMS_BY_POSITION: Text =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["add",null,{"a":1,"b":2},$META]}"#;
const OLDER: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2025-11-25","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
const BARE: Text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

/// `name: value` sets a header, `+name: value` adds one, `-name` takes it away; `GET` alone is the verb.
pub const HEADERS: &[(&str, Text, &[&str])] = &[
    // Accept.
    ("accept absent", ADD, &["-accept"]),
    ("accept JSON only", ADD, &["accept: application/json"]),
    ("accept streams only", ADD, &["accept: text/event-stream"]),
    ("accept anything", ADD, &["accept: */*"]),
    ("accept ranges", ADD, &["accept: application/*, text/*"]),
    ("accept in another order", ADD, &["accept: text/event-stream,application/json"]),
    ("accept in capitals", ADD, &["accept: Application/JSON, TEXT/event-stream"]),
    ("accept in two headers", ADD, &["accept: application/json", "+accept: text/event-stream"]),
    ("accept twice", ADD, &["+accept: application/json, text/event-stream"]),
    ("accept more", ADD, &["accept: text/html, application/json, , text/event-stream, */*"]),
    ("accept with weights", ADD, &["accept: application/json;q=0.5, text/event-stream;q=1"]),
    ("accept with a weight of 0", ADD, &["accept: application/json;q=0, text/event-stream"]),
    ("accept with a weight of 0.000", ADD, &["accept: application/json, text/event-stream; Q=0.000"]),
    ("accept with a wrong weight", ADD, &["accept: application/json;q=0.0000, text/event-stream;q=x"]),
    ("accept with parameters", ADD, &["accept: application/json;charset=utf-8, text/event-stream"]),
    ("accept with quotes", ADD, &["accept: application/json;x=\",\", text/event-stream"]),
    ("accept quoted", ADD, &["accept: \"application/json, text/event-stream\""]),
    ("accept a longer type", ADD, &["accept: application/json-seq, text/event-streams"]),
    ("accept empty", ADD, &["accept:"]),
    ("accept beyond ASCII", ADD, &["accept: application/json, text/event-stream, ü/ü"]),
    ("accept with a tab", ADD, &["accept: application/json\t,\ttext/event-stream"]),
    // Content-Type.
    ("content-type absent", ADD, &["-content-type"]),
    ("content-type text", ADD, &["content-type: text/plain"]),
    ("content-type with a charset", ADD, &["content-type: application/json; charset=utf-8"]),
    ("content-type with another charset", ADD, &["content-type: application/json; charset=utf-16"]),
    ("content-type in capitals", ADD, &["content-type: APPLICATION/Json;CHARSET=UTF-8"]),
    ("content-type with spaces", ADD, &["content-type:   application/json  ; x"]),
    ("content-type with a semicolon", ADD, &["content-type: application/json;"]),
    ("content-type longer", ADD, &["content-type: application/json-rpc"]),
    ("content-type with a suffix", ADD, &["content-type: application/vnd.x+json"]),
    ("content-type list", ADD, &["content-type: application/json, text/plain"]),
    ("content-type twice", ADD, &["+content-type: application/json"]),
    ("content-type twice and different", ADD, &["+content-type: text/plain"]),
    ("content-type empty", ADD, &["content-type:"]),
    ("content-type beyond ASCII", ADD, &["content-type: application/json; x=ü"]),
    // MCP-Protocol-Version.
    ("version absent", ADD, &["-mcp-protocol-version"]),
    ("version before", ADD, &["mcp-protocol-version: 2025-11-25"]),
    ("version of the future", ADD, &["mcp-protocol-version: 2099-01-01"]),
    ("version nonsense", ADD, &["mcp-protocol-version: x"]),
    ("version empty", ADD, &["mcp-protocol-version:"]),
    ("version twice", ADD, &["+mcp-protocol-version: 2026-07-28"]),
    ("version twice and different", ADD, &["+mcp-protocol-version: 2025-11-25"]),
    ("version beyond ASCII", ADD, &["mcp-protocol-version: ü"]),
    ("version with spaces", ADD, &["mcp-protocol-version:  2026-07-28 "]),
    ("version in other letters", ADD, &["-mcp-protocol-version", "+MCP-Protocol-VERSION: 2026-07-28"]),
    ("version older in both", OLDER, &["mcp-protocol-version: 2025-11-25"]),
    ("version older in the message", OLDER, &[]),
    ("version in the header only", BARE, &[]),
    ("version nowhere", BARE, &["-mcp-protocol-version"]),
    ("version older in the header only", BARE, &["mcp-protocol-version: 2025-06-18"]),
    // Mcp-Method.
    ("method absent", LIST, &["-mcp-method"]),
    ("method another", LIST, &["mcp-method: prompts/list"]),
    ("method in capitals", LIST, &["mcp-method: Tools/List"]),
    ("method empty", LIST, &["mcp-method:"]),
    ("method twice", LIST, &["+mcp-method: tools/list"]),
    ("method twice and different", LIST, &["+mcp-method: tools/call"]),
    ("method in Base64", LIST, &["mcp-method: =?base64?dG9vbHMvbGlzdA==?="]),
    ("method with spaces", LIST, &["mcp-method: \ttools/list "]),
    ("method beyond ASCII", LIST, &["mcp-method: tools/list, ü"]),
    // Mcp-Name.
    ("name absent", ADD, &["-mcp-name"]),
    ("name another", ADD, &["mcp-name: text"]),
    ("name in capitals", ADD, &["mcp-name: ADD"]),
    ("name empty", ADD, &["mcp-name:"]),
    ("name twice", ADD, &["+mcp-name: add"]),
    ("name twice and different", ADD, &["+mcp-name: text"]),
    ("name in Base64", ADD, &["mcp-name: =?base64?YWRk?="]),
    ("name in Base64 of another", ADD, &["mcp-name: =?base64?dGV4dA==?="]),
    ("name in wrong Base64", ADD, &["mcp-name: =?base64?YWR?="]),
    ("name in Base64 of no text", ADD, &["mcp-name: =?base64?/w==?="]),
    ("name in another case of Base64", ADD, &["mcp-name: =?BASE64?YWRk?="]),
    ("name half in Base64", ADD, &["mcp-name: =?base64?YWRk"]),
    ("name with spaces", ADD, &["mcp-name:  add\t"]),
    ("name where there is none", LIST, &["mcp-name: add"]),
    ("name of a prompt", PROMPT, &[]),
    ("name of a prompt absent", PROMPT, &["-mcp-name"]),
    ("name of a resource", FIXED, &[]),
    ("name of a resource absent", FIXED, &["-mcp-name"]),
    ("name of a resource another", FIXED, &["mcp-name: lanes://typed"]),
    ("name beyond ASCII", READ, &["mcp-name: lanes://path/ü"]),
    ("name beyond ASCII in Base64", READ, &["mcp-name: =?base64?bGFuZXM6Ly9wYXRoL8O8?="]),
    ("name beyond ASCII absent", READ, &["-mcp-name"]),
    // Mcp-Param-*.
    (
        "arguments in headers",
        REGION,
        &["mcp-param-region: eu", "mcp-param-count: 1.5", "mcp-param-flag: true"],
    ),
    (
        "arguments in headers, as written",
        REGION,
        &["mcp-param-region: eu", "mcp-param-count: 1.50", "mcp-param-flag: true"],
    ),
    ("arguments in headers, one absent", REGION, &["mcp-param-region: eu", "mcp-param-flag: true"]),
    ("arguments in headers, none there", REGION, &[]),
    (
        "arguments in headers, one another",
        REGION,
        &["mcp-param-region: us", "mcp-param-count: 1.5", "mcp-param-flag: true"],
    ),
    (
        "arguments in headers, one in capitals",
        REGION,
        &["mcp-param-region: eu", "mcp-param-count: 1.5", "mcp-param-flag: TRUE"],
    ),
    (
        "arguments in headers, one twice",
        REGION,
        &["mcp-param-region: eu", "+mcp-param-region: eu", "mcp-param-count: 1.5", "mcp-param-flag: true"],
    ),
    (
        "arguments in headers, one in Base64",
        REGION,
        &["mcp-param-region: =?base64?ZXU=?=", "mcp-param-count: 1.5", "mcp-param-flag: true"],
    ),
    (
        "arguments in headers, more",
        REGION,
        &["mcp-param-region: eu", "mcp-param-count: 1.5", "mcp-param-flag: true", "mcp-param-more: 1"],
    ),
    ("an argument null and no header", REGION_NULL, &[]),
    ("an argument null and a header", REGION_NULL, &["mcp-param-region: null"]),
    ("an argument null and an empty header", REGION_NULL, &["mcp-param-region:"]),
    ("an argument beyond ASCII", REGION_UMLAUT, &["mcp-param-region: ü"]),
    ("an argument beyond ASCII in Base64", REGION_UMLAUT, &["mcp-param-region: =?base64?w7w=?="]),
    ("an argument that looks like Base64", REGION_SENTINEL, &["mcp-param-region: =?base64?ZXU=?="]),
    (
        "an argument that looks like Base64, in Base64",
        REGION_SENTINEL,
        &["mcp-param-region: =?base64?PT9iYXNlNjQ/WlhVPT89?="],
    ),
    ("an argument twice, the last in the header", REGION_TWICE, &["mcp-param-region: eu"]),
    ("an argument twice, the first in the header", REGION_TWICE, &["mcp-param-region: us"]),
    ("an argument mistyped", REGION_MISTYPED, &["mcp-param-region: 5"]),
    ("an argument too large", REGION_LARGE, &["mcp-param-count: 18446744073709551616"]),
    ("an argument too large, rounded", REGION_LARGE, &["mcp-param-count: 1.8446744073709552e19"]),
    // Sessions.
    ("session unknown", ADD, &["mcp-session-id: 00000000-0000-0000-0000-000000000000"]),
    ("session empty", ADD, &["mcp-session-id:"]),
    ("session twice", ADD, &["mcp-session-id: x", "+mcp-session-id: y"]),
    ("session unknown, older", BARE, &["mcp-session-id: x", "mcp-protocol-version: 2025-11-25"]),
    ("last event", ADD, &["last-event-id: 1"]),
    // Where it comes from.
    ("origin of this machine", ADD, &["origin: http://localhost:5173"]),
    ("origin allowed", ADD, &["origin: https://example.com"]),
    ("origin allowed, in capitals", ADD, &["origin: HTTPS://EXAMPLE.COM"]),
    ("origin allowed, with its port", ADD, &["origin: https://example.com:443"]),
    ("origin behind a user", ADD, &["origin: http://localhost:80@example.com"]),
    ("origin with a user", ADD, &["origin: http://x@localhost"]),
    ("origin with a path", ADD, &["origin: http://localhost:80/x"]),
    ("origin with a slash behind", ADD, &["origin: https://example.com/"]),
    ("origin with an odd port", ADD, &["origin: http://localhost:x"]),
    ("origin with a large port", ADD, &["origin: http://localhost:65536"]),
    ("origin with nothing behind its colon", ADD, &["origin: http://localhost:"]),
    ("origin with a list behind", ADD, &["origin: http://localhost:80, x"]),
    ("origin with a space", ADD, &["origin: http://localhost: 80"]),
    ("origin with another scheme", ADD, &["origin: ftp://localhost"]),
    ("origin without a scheme", ADD, &["origin: localhost"]),
    ("origin another", ADD, &["origin: https://example.org"]),
    ("origin null", ADD, &["origin: null"]),
    ("origin empty", ADD, &["origin:"]),
    ("origin twice", ADD, &["origin: https://example.com", "+origin: https://example.com"]),
    ("origin beyond ASCII", ADD, &["origin: https://ü.com"]),
    ("origin of a failure", TALKS, &["origin: https://example.com"]),
    ("origin of a refusal", ADD, &["origin: https://example.com", "-mcp-name"]),
    ("host localhost", ADD, &["host: localhost"]),
    ("host in capitals", ADD, &["host: LOCALHOST:1"]),
    ("host IPv6", ADD, &["host: [::1]:80"]),
    ("host another", ADD, &["host: example.com"]),
    ("host with two ports", ADD, &["host: localhost:1:2"]),
    ("host with an odd port", ADD, &["host: localhost:http"]),
    ("host with a large port", ADD, &["host: localhost:65536"]),
    ("host with nothing behind its colon", ADD, &["host: localhost:"]),
    ("host with a user", ADD, &["host: x@localhost"]),
    ("host with a dot behind", ADD, &["host: localhost."]),
    ("host behind a user", ADD, &["host: localhost:80@example.com"]),
    ("host with a path", ADD, &["host: localhost:80/x"]),
    ("host with a fragment", ADD, &["host: localhost:80#x"]),
    ("host with a space", ADD, &["host: localhost: 80"]),
    ("host with a negative port", ADD, &["host: localhost:-80"]),
    ("host with a port beyond ASCII", ADD, &["host: localhost:ü"]),
    ("host empty", ADD, &["host:"]),
    ("host absent", ADD, &["-host"]),
    ("host twice", ADD, &["+host: localhost"]),
    // Whatever else.
    ("message by position", BY_POSITION, &["mcp-method: tools/list"]),
    ("params by position", PARAMS_BY_POSITION, &["mcp-name: add"]),
    ("a talking tool", TALKS, &[]),
    ("an unknown header", ADD, &["x-unknown: ü"]),
    ("compression asked for", ADD, &["accept-encoding: gzip, br"]),
    ("compression of the body", ADD, &["content-encoding: gzip"]),
    ("a token where none is known", ADD, &["authorization: Bearer x"]),
    ("GET", "", &["GET"]),
    ("GET of a session", "", &["GET", "mcp-session-id: x"]),
    ("DELETE", "", &["DELETE"]),
    ("DELETE of an older revision", "", &["DELETE", "mcp-protocol-version: 2025-11-25"]),
    ("PUT", ADD, &["PUT"]),
    ("HEAD", "", &["HEAD"]),
    ("OPTIONS", "", &["OPTIONS", "origin: https://example.com", "access-control-request-headers: mcp-name"]),
];

/// Requests to the server of known callers.
pub const GUARDED: &[(&str, Text, &[&str])] = &[
    ("no token", ADD, &[]),
    ("a wrong token", ADD, &["authorization: Bearer x"]),
    ("another scheme", ADD, &["authorization: Basic YWxpY2U6eA=="]),
    ("the token", ADD, &["authorization: Bearer a-token-of-alice"]),
    ("the token, its scheme in capitals", ADD, &["authorization: BEARER a-token-of-alice"]),
    (
        "the token twice",
        ADD,
        &["authorization: Bearer a-token-of-alice", "+authorization: Bearer a-token-of-alice"],
    ),
    ("the token, and who calls", WHOAMI, &["authorization: Bearer a-token-of-alice"]),
    ("the token, and who calls again", WHOAMI, &["authorization: Bearer a-token-of-alice"]),
    ("a scope that is missing", SCOPED, &["authorization: Bearer a-token-of-alice"]),
    ("a scope that is missing, by position", SCOPED_BY_POSITION, &["authorization: Bearer a-token-of-alice"]),
    ("no token for a scope", SCOPED, &[]),
    (
        "the token and an origin",
        ADD,
        &["authorization: Bearer a-token-of-alice", "origin: https://example.com"],
    ),
    ("no token and an origin", ADD, &["origin: https://example.com"]),
    ("a whole list", LIST, &["authorization: Bearer a-token-of-alice"]),
    ("a list without a token", LIST, &[]),
    ("a list that is made", RESOURCES, &["authorization: Bearer a-token-of-alice"]),
    ("a whole list of templates", TEMPLATES, &["authorization: Bearer a-token-of-alice"]),
    ("a whole list of prompts", PROMPTS, &["authorization: Bearer a-token-of-alice"]),
    ("the discovery", DISCOVERY, &["authorization: Bearer a-token-of-alice"]),
    ("the discovery without a token", DISCOVERY, &[]),
];

const WHOAMI: Text =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","_meta":$META}}"#;
const SCOPED: Text =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"guarded","_meta":$META}}"#;
const SCOPED_BY_POSITION: Text = r#"["2.0",1,"tools/call",["guarded",null,null,$META]]"#;
const RESOURCES: Text = r#"{"jsonrpc":"2.0","id":1,"method":"resources/list","params":{"_meta":$META}}"#;
const TEMPLATES: Text =
    r#"{"jsonrpc":"2.0","id":1,"method":"resources/templates/list","params":{"_meta":$META}}"#;
const PROMPTS: Text = r#"{"jsonrpc":"2.0","id":1,"method":"prompts/list","params":{"_meta":$META}}"#;
const DISCOVERY: Text = r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":$META}}"#;
