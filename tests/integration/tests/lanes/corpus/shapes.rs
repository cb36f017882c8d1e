//! Messages whose form is in question: a name, and the whole text.

/// `$META` stands for the `_meta` of the era, `$NEST<n>` for arrays in arrays, n levels deep.
pub const SHAPES: &[(&str, &str)] = &[
    // Ids.
    ("id 0", r#"{"jsonrpc":"2.0","id":0,"method":"tools/list","params":{"_meta":$META}}"#),
    ("id negative", r#"{"jsonrpc":"2.0","id":-7,"method":"tools/list","params":{"_meta":$META}}"#),
    ("id -0", r#"{"jsonrpc":"2.0","id":-0,"method":"tools/list","params":{"_meta":$META}}"#),
    (
        "id largest",
        r#"{"jsonrpc":"2.0","id":9223372036854775807,"method":"tools/list","params":{"_meta":$META}}"#,
    ),
    (
        "id smallest",
        r#"{"jsonrpc":"2.0","id":-9223372036854775808,"method":"tools/list","params":{"_meta":$META}}"#,
    ),
    (
        "id above i64",
        r#"{"jsonrpc":"2.0","id":9223372036854775808,"method":"tools/list","params":{"_meta":$META}}"#,
    ),
    (
        "id above u64",
        r#"{"jsonrpc":"2.0","id":18446744073709551616,"method":"tools/list","params":{"_meta":$META}}"#,
    ),
    ("id 1.0", r#"{"jsonrpc":"2.0","id":1.0,"method":"tools/list","params":{"_meta":$META}}"#),
    ("id 1.5", r#"{"jsonrpc":"2.0","id":1.5,"method":"tools/list","params":{"_meta":$META}}"#),
    ("id 1e2", r#"{"jsonrpc":"2.0","id":1e2,"method":"tools/list","params":{"_meta":$META}}"#),
    ("id 1e400", r#"{"jsonrpc":"2.0","id":1e400,"method":"tools/list","params":{"_meta":$META}}"#),
    ("id 01", r#"{"jsonrpc":"2.0","id":01,"method":"tools/list","params":{"_meta":$META}}"#),
    ("id text", r#"{"jsonrpc":"2.0","id":"a b","method":"tools/list","params":{"_meta":$META}}"#),
    ("id empty text", r#"{"jsonrpc":"2.0","id":"","method":"tools/list","params":{"_meta":$META}}"#),
    ("id text of a number", r#"{"jsonrpc":"2.0","id":"1","method":"tools/list","params":{"_meta":$META}}"#),
    (
        "id text beyond ASCII",
        r#"{"jsonrpc":"2.0","id":"ü😀","method":"tools/list","params":{"_meta":$META}}"#,
    ),
    (
        "id text with DEL",
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\u{7f}\",\"method\":\"tools/list\",\"params\":{\"_meta\":$META}}",
    ),
    ("id escaped", r#"{"jsonrpc":"2.0","id":"\u0061\n\"","method":"tools/list","params":{"_meta":$META}}"#),
    (
        "id lone surrogate",
        r#"{"jsonrpc":"2.0","id":"\ud800","method":"tools/list","params":{"_meta":$META}}"#,
    ),
    (
        "id with a tab",
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\tb\",\"method\":\"tools/list\",\"params\":{\"_meta\":$META}}",
    ),
    ("id long", r#"{"jsonrpc":"2.0","id":"$LONG","method":"tools/list","params":{"_meta":$META}}"#),
    ("id null", r#"{"jsonrpc":"2.0","id":null,"method":"tools/list","params":{"_meta":$META}}"#),
    ("id true", r#"{"jsonrpc":"2.0","id":true,"method":"tools/list","params":{"_meta":$META}}"#),
    ("id object", r#"{"jsonrpc":"2.0","id":{},"method":"tools/list","params":{"_meta":$META}}"#),
    ("id array", r#"{"jsonrpc":"2.0","id":[1],"method":"tools/list","params":{"_meta":$META}}"#),
    ("id absent", r#"{"jsonrpc":"2.0","method":"tools/list","params":{"_meta":$META}}"#),
    ("id twice", r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list","params":{"_meta":$META}}"#),
    (
        "id spaced",
        "{\"jsonrpc\":\"2.0\",\"id\": \t 7 ,\"method\":\"tools/list\",\"params\":{\"_meta\":$META}}",
    ),
    // Members of the message.
    ("jsonrpc 1.0", r#"{"jsonrpc":"1.0","id":1,"method":"tools/list","params":{"_meta":$META}}"#),
    ("jsonrpc number", r#"{"jsonrpc":2.0,"id":1,"method":"tools/list","params":{"_meta":$META}}"#),
    ("jsonrpc escaped", r#"{"jsonrpc":"2\u002e0","id":1,"method":"tools/list","params":{"_meta":$META}}"#),
    ("jsonrpc absent", r#"{"id":1,"method":"tools/list","params":{"_meta":$META}}"#),
    ("jsonrpc null", r#"{"jsonrpc":null,"id":1,"method":"tools/list","params":{"_meta":$META}}"#),
    (
        "jsonrpc twice",
        r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META}}"#,
    ),
    (
        "jsonrpc twice and different",
        r#"{"jsonrpc":"1.0","jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META}}"#,
    ),
    ("method absent", r#"{"jsonrpc":"2.0","id":1,"params":{"_meta":$META}}"#),
    ("method number", r#"{"jsonrpc":"2.0","id":1,"method":5,"params":{"_meta":$META}}"#),
    ("method null", r#"{"jsonrpc":"2.0","id":1,"method":null,"params":{"_meta":$META}}"#),
    (
        "method twice",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"prompts/list","params":{"_meta":$META}}"#,
    ),
    ("params absent", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#),
    ("params null", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":null}"#),
    ("params empty", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#),
    ("params empty array", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}"#),
    ("params text", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":"x"}"#),
    (
        "params twice",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{},"params":{"_meta":$META}}"#,
    ),
    ("params of a call absent", r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#),
    (
        "params by position",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["add",null,{"a":1,"b":2},$META]}"#,
    ),
    (
        "params of a list by position",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[null,null,null,$META]}"#,
    ),
    (
        "meta by position",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":["2026-07-28",{}]}}"#,
    ),
    ("message by position", r#"["2.0",1,"tools/list",{"_meta":$META}]"#),
    ("message by position throughout", r#"["2.0",1,"tools/list",[null,null,null,["2026-07-28",{}]]]"#),
    ("extra member", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META},"extra":1}"#),
    (
        "extra member, deep",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META},"extra":$NEST200}"#,
    ),
    (
        "extra result",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META},"result":{}}"#,
    ),
    (
        "extra error",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META},"error":null}"#,
    ),
    (
        "extra _meta outside",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","_meta":$META,"params":{"_meta":$META}}"#,
    ),
    (
        "members in another order",
        r#"{"params":{"_meta":$META,"name":"add","arguments":{"a":1,"b":2}},"method":"tools/call","id":1,"jsonrpc":"2.0"}"#,
    ),
    (
        "members with escapes",
        r#"{"json\u0072pc":"2.0","i\u0064":1,"method":"tools/list","params":{"_met\u0061":$META}}"#,
    ),
    ("members in capitals", r#"{"JSONRPC":"2.0","ID":1,"METHOD":"tools/list","PARAMS":{"_meta":$META}}"#),
    // `_meta`.
    ("meta absent", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"name":"x"}}"#),
    ("meta null", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":null}}"#),
    ("meta empty", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{}}}"#),
    ("meta array", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":[]}}"#),
    ("meta text", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":"2026-07-28"}}"#),
    ("meta twice", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{},"_meta":$META}}"#),
    (
        "meta before",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2025-11-25","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta of the future",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta version number",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":20260728,"io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta version null",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":null,"io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta version escaped",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026\u002d07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta version twice",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2025-11-25","io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta without capabilities",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
    ),
    (
        "meta capabilities null",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":null}}}"#,
    ),
    (
        "meta capabilities array",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]}}}"#,
    ),
    (
        "meta capabilities",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{"listChanged":true},"elicitation":{},"sampling":{"tools":{}},"more":1}}}}"#,
    ),
    (
        "meta capabilities mistyped",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":5}}}}"#,
    ),
    (
        "meta capabilities twice",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{},"roots":{}}}}}"#,
    ),
    (
        "meta client",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta client mistyped",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":5,"io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta log level",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"talks","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/logLevel":"info","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta log level mistyped",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"text","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/logLevel":5,"io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta progress token",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"text","_meta":{"progressToken":"t","io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta progress token of one who reports",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"talks","_meta":{"progressToken":7,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta progress token mistyped",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"text","_meta":{"progressToken":{},"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta unknown members",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"text","_meta":{"traceparent":5,"x":[{}],"x":1,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta unknown member deep",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"text","_meta":{"x":$NEST200,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta unknown member too large",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"text","_meta":{"x":-1e400,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    (
        "meta unknown member lone surrogate",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"text","_meta":{"x":"\ud800","io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    ),
    // Other messages.
    (
        "batch",
        r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META}},{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"_meta":$META}}]"#,
    ),
    ("batch of one", r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META}}]"#),
    ("batch of none", "[]"),
    ("notification", r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
    (
        "notification of a cancellation",
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
    ),
    (
        "notification of a cancellation by position",
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":[1]}"#,
    ),
    ("notification unknown", r#"{"jsonrpc":"2.0","method":"notifications/x","params":{"y":1}}"#),
    ("notification with an id", r#"{"jsonrpc":"2.0","id":1,"method":"notifications/initialized"}"#),
    ("response", r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
    ("response of an error", r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"no"}}"#),
    (
        "initialize",
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#,
    ),
    (
        "initialize of 2026-07-28",
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2026-07-28","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#,
    ),
    (
        "initialize with meta",
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"_meta":$META,"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#,
    ),
    // What is no message.
    ("empty", ""),
    ("whitespace", " \t\r "),
    ("NUL", "\0"),
    ("NUL behind", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":$META}}\0"),
    (
        "space around",
        " \t{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":$META}} \t\r",
    ),
    (
        "form feed around",
        "\u{c}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":$META}}",
    ),
    ("BOM", "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":$META}}"),
    ("text behind", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META}}x"#),
    (
        "two messages",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META}}{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"_meta":$META}}"#,
    ),
    (
        "two messages in lines",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":$META}}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"prompts/list\",\"params\":{\"_meta\":$META}}",
    ),
    (
        "one message in lines",
        "{\"jsonrpc\":\"2.0\",\r\n\"id\":1,\"method\":\"tools/list\",\n\"params\":{\"_meta\":$META}}\r\n",
    ),
    ("cut off", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META}"#),
    ("comma too many", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META,}}"#),
    ("comment", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list",/* */"params":{"_meta":$META}}"#),
    ("quotes single", r#"{'jsonrpc':'2.0','id':1,'method':'tools/list','params':{'_meta':$META}}"#),
    (
        "control character in text",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"add\u{1}\",\"_meta\":$META}}",
    ),
    ("text", r#""tools/list""#),
    ("number", "7"),
    ("deep", "$NEST200"),
];

/// Bytes that are no UTF-8: a name, what is before them, the bytes, what is behind.
pub const BYTES: &[(&str, &str, &[u8], &str)] = &[
    (
        "not UTF-8 in a name",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"#,
        b"\xff",
        r#"","_meta":$META}}"#,
    ),
    (
        "not UTF-8 in an id",
        r#"{"jsonrpc":"2.0","id":""#,
        b"\xc3",
        r#"","method":"tools/list","params":{"_meta":$META}}"#,
    ),
    (
        "not UTF-8 in an argument",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"kept","arguments":{"text":""#,
        b"\xed\xa0\x80",
        r#""},"_meta":$META}}"#,
    ),
    (
        "not UTF-8 in what is ignored",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"arguments":""#,
        b"\xf8",
        r#"","_meta":$META}}"#,
    ),
    (
        "not UTF-8 behind",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":$META}}"#,
        b"\xff\xfe",
        "",
    ),
    ("UTF-16", "", b"\xff\xfe{\0\"\0j\0", ""),
];
