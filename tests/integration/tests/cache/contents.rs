//! One component for each kind of content.

use mcp_server::prelude::*;
use mcp_server::rmcp::model::{CallToolResult, ContentBlock};
use mcp_server::serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\xff";

/// Tools without arguments that are kept.
macro_rules! contents {
    ($($name:ident -> $output:ty { $value:expr })+) => {$(
        #[tool(cache(ttl = "100s"))]
        pub(crate) fn $name() -> $output {
            $value
        }
    )+};
}

#[schema]
pub(crate) struct Row {
    zebra: u64,
    apple: Option<f64>,
    names: Vec<String>,
}

pub(crate) fn row() -> Row {
    Row { zebra: u64::MAX, apple: Some(0.1), names: vec!["ü\u{2028}\u{0}\"\\".into()] }
}

contents! {
    kind_text -> String { "line\nline\ttab \u{7f} ü \u{1F600}".into() }
    kind_number -> f64 { -0.0 }
    kind_nothing -> () { () }
    kind_image -> Content { Content::image(PNG, "image/png") }
    kind_audio -> Content { Content::audio(b"RIFF\x00", "audio/wav") }
    kind_embedded_text -> Content { Content::resource("lab://e/1", "text").mime("text/x-e") }
    kind_embedded_blob -> Content { Content::resource("lab://e/2", PNG).mime("image/png") }
    kind_link -> Content { Content::link("lab://linked", "linked").mime("text/plain") }
    kind_annotated -> Vec<Content> {
        vec![
            Content::text("t").audience(&[Role::User, Role::Assistant]).priority(0.25).meta(json!({ "b": 1, "a": [null] })),
            Content::image(PNG, "image/png").priority(1.0).meta(json!({ "x.y/z": {} })),
            Content::audio(PNG, "audio/ogg").audience(&[Role::User]),
            Content::resource("lab://e/3", "x").priority(0.5).meta(json!({ "k": true })),
            Content::link("lab://l", "l").audience(&[Role::Assistant]).meta(json!({ "k": 1.5 })),
        ]
    }
    kind_json -> Json<Row> { Json(row()) }
    kind_json_list -> Json<Vec<Row>> { Json(vec![row(), row()]) }
    kind_json_number -> Json<i64> { Json(i64::MIN) }
    kind_json_null -> Json<Option<Row>> { Json(None) }
    kind_output -> Result<ToolOutput, ToolError> {
        Ok(ToolOutput::new(["said"]).structured(&json!({ "z": 1, "a": [9_007_199_254_740_993_u64] }))?.meta(json!({ "lab/m": [1, 2] })))
    }
    kind_rmcp -> CallToolResult { rmcp_result() }
}

/// A result of rmcp's with all that its types can say.
pub(crate) fn rmcp_result() -> CallToolResult {
    let annotations =
        json!({ "audience": ["user"], "priority": 0.5, "lastModified": "2025-01-12T15:00:58Z" });
    let blocks = json!([
        { "type": "text", "text": "t", "annotations": annotations, "_meta": { "m": 1 } },
        { "type": "image", "data": "iVBORw==", "mimeType": "image/png", "annotations": annotations, "_meta": { "m": 2 } },
        { "type": "audio", "data": "UklGRg==", "mimeType": "audio/wav", "annotations": annotations, "_meta": { "m": 3 } },
        {
            "type": "resource", "annotations": annotations, "_meta": { "m": 4 },
            "resource": { "uri": "lab://r", "mimeType": "text/x-r", "text": "r", "_meta": { "m": 5 } },
        },
        {
            "type": "resource_link", "uri": "lab://l", "name": "l", "title": "L", "description": "a link",
            "mimeType": "text/x-l", "size": 12, "icons": [{ "src": "https://example.com/i.png", "sizes": ["48x48"] }],
            "annotations": annotations, "_meta": { "m": 6 },
        },
    ]);
    let blocks: Vec<ContentBlock> = mcp_server::serde_json::from_value(blocks).unwrap();
    let mut result = CallToolResult::success(blocks);
    result.structured_content = Some(json!({ "n": 9_007_199_254_740_993_u64 }));
    result.meta = mcp_server::serde_json::from_value(json!({ "lab/r": "meta" })).unwrap();
    result
}

/// Text with a media type of its own.
#[resource(uri = "lab://kind/text", mime = "text/markdown", cacheable(ttl = "100s"))]
pub(crate) fn kind_text_resource() -> &'static str {
    "# T\r\n"
}

/// Bytes.
#[resource(uri = "lab://kind/blob", mime = "image/png", cacheable(ttl = "100s", scope = "public"))]
pub(crate) fn kind_blob_resource() -> Vec<u8> {
    PNG.to_vec()
}

/// JSON.
#[resource(uri = "lab://kind/json", cacheable(ttl = "100s", scope = "tenant"))]
pub(crate) fn kind_json_resource() -> Json<Row> {
    Json(row())
}

/// Parts, of which some have a URI and a type of their own.
#[resource(uri = "lab://kind/parts/{id}", cacheable(ttl = "100s"))]
pub(crate) fn kind_parts_resource(id: String) -> Vec<Contents> {
    vec![
        Contents::new(id).meta(json!({ "part": 1 })),
        Contents::new(PNG).uri("lab://kind/part").mime("image/png"),
        Contents::new("x").uri("lab://kind/other"),
    ]
}

/// Messages of every kind.
#[prompt(cache(ttl = "100s"))]
pub(crate) fn kind_messages(id: String) -> Vec<Message> {
    vec![
        Message::user(id),
        Message::assistant(Content::image(PNG, "image/png").priority(0.5)),
        Message::user(Content::audio(PNG, "audio/wav")),
        Message::user(Content::resource("lab://e/4", PNG)),
        Message::assistant(Content::link("lab://l", "l").meta(json!({ "m": 1 }))),
    ]
}

/// The requests for all of them.
pub(crate) fn requests() -> Vec<(&'static str, Value)> {
    let tools = [
        "kind_text",
        "kind_number",
        "kind_nothing",
        "kind_image",
        "kind_audio",
        "kind_embedded_text",
        "kind_embedded_blob",
        "kind_link",
        "kind_annotated",
        "kind_json",
        "kind_json_list",
        "kind_json_number",
        "kind_json_null",
        "kind_output",
        "kind_rmcp",
    ];
    let resources = ["lab://kind/text", "lab://kind/blob", "lab://kind/json", "lab://kind/parts/a%20b"];
    let tools = tools.map(|name| ("tools/call", json!({ "name": name, "arguments": {} })));
    let resources = resources.map(|uri| ("resources/read", json!({ "uri": uri })));
    let prompt = ("prompts/get", json!({ "name": "kind_messages", "arguments": { "id": "ü" } }));
    tools.into_iter().chain(resources).chain([prompt]).collect()
}
