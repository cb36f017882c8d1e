//! Tools: each kind of content, progress, log messages, arguments with a schema of their own.

use std::time::Duration;

use mcp_server::prelude::*;
use mcp_server::schemars::{Schema, SchemaGenerator, json_schema};
use mcp_server::tokio::time::sleep;

pub(crate) const PIXEL: &[u8] = include_bytes!("pixel.png");
const SILENCE: &[u8] = include_bytes!("silence.wav");

const STEP: Duration = Duration::from_millis(50);

/// Returns text.
#[tool(read_only)]
fn test_simple_text() -> &'static str {
    "This is a simple text response for testing."
}

/// Returns a picture.
#[tool(read_only)]
fn test_image_content() -> Content {
    Content::image(PIXEL, "image/png")
}

/// Returns a sound.
#[tool(read_only)]
fn test_audio_content() -> Content {
    Content::audio(SILENCE, "audio/wav")
}

/// Returns a resource with its content.
#[tool(read_only)]
fn test_embedded_resource() -> Content {
    Content::resource("test://embedded-resource", "This is an embedded resource content.").mime("text/plain")
}

/// Returns blocks of several kinds.
#[tool(read_only)]
fn test_multiple_content_types() -> Vec<Content> {
    vec![
        Content::text("Multiple content types test:"),
        Content::image(PIXEL, "image/png"),
        Content::resource("test://mixed-content-resource", r#"{"test":"data","value":123}"#)
            .mime("application/json"),
    ]
}

/// Fails, in words that the model reads.
#[tool(read_only)]
fn test_error_handling() -> Result<(), ToolError> {
    Err(ToolError::new("This tool intentionally returns an error for testing"))
}

/// Reports progress.
#[tool(read_only)]
async fn test_tool_with_progress(ctx: Ctx) -> &'static str {
    for done in [0.0, 50.0, 100.0] {
        ctx.progress(done, Some(100.0), None).await;
        sleep(STEP).await;
    }
    "All three steps are done."
}

/// Sends log messages.
#[tool(read_only)]
async fn test_tool_with_logging(ctx: Ctx) -> &'static str {
    for message in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        ctx.log(LogLevel::Info, message).await;
        sleep(STEP).await;
    }
    "Three messages were sent."
}

/// Sends a log message, which only a client that asks for it receives.
#[tool(read_only)]
async fn test_logging_tool(ctx: Ctx) -> &'static str {
    ctx.log(LogLevel::Info, "This reaches clients that want it.").await;
    "A message was sent to clients that want it."
}

/// Takes long enough for a client to lose its connection and come back for the result.
#[tool(read_only)]
async fn test_reconnection() -> &'static str {
    sleep(6 * STEP).await;
    "Reconnection test completed"
}

/// Takes an argument that also travels as the header `Mcp-Param-Region`, for proxies to route by.
#[tool(read_only)]
fn test_header_argument(#[schemars(extend("x-mcp-header" = "Region"))] region: String) -> String {
    format!("The region is {region}.")
}

/// Tool with JSON Schema 2020-12 features
#[tool(read_only)]
fn json_schema_2020_12_tool(Args(contact): Args<Contact>) -> Result<String, ToolError> {
    let Contact { name, address, contact_method, phone, email } = contact;
    let way = match contact_method {
        Some(Method::Phone) => phone,
        Some(Method::Email) | None => email,
    };
    let way = way.ok_or_else(|| ToolError::invalid("there is no way to reach you: write `email`"))?;
    let city = address.and_then(|address| address.city).unwrap_or_else(|| "an unknown city".to_owned());
    Ok(format!("{} from {city} is reached at {way}.", name.as_deref().unwrap_or("Somebody")))
}

#[derive(Deserialize)]
#[serde(crate = "mcp_server::serde", rename_all = "camelCase", deny_unknown_fields)]
struct Contact {
    name: Option<String>,
    address: Option<Address>,
    contact_method: Option<Method>,
    phone: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
#[serde(crate = "mcp_server::serde")]
struct Address {
    city: Option<String>,
}

#[derive(Deserialize)]
#[serde(crate = "mcp_server::serde", rename_all = "lowercase")]
enum Method {
    Phone,
    Email,
}

/// Written by hand for what no derive says: whoever is reached by phone must give a number.
impl JsonSchema for Contact {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Contact".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {
                "address": {
                    "$anchor": "addressDef",
                    "type": "object",
                    "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
                },
            },
            "properties": {
                "name": { "type": "string" },
                "address": { "$ref": "#/$defs/address" },
                "contactMethod": { "type": "string", "enum": ["phone", "email"] },
                "phone": { "type": "string" },
                "email": { "type": "string" },
            },
            "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
            "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
            "then": { "required": ["phone"] },
            "else": { "required": ["email"] },
            "additionalProperties": false,
        })
    }
}

/// Switches a tool off and on again; clients are told that the list has changed.
#[tool]
fn test_trigger_tool_change(components: Dep<Components>) {
    components.enable("switched_tool", false);
    components.enable("switched_tool", true);
}

/// Is switched by `test_trigger_tool_change`.
#[tool(read_only)]
fn switched_tool() -> &'static str {
    "on"
}

/// Switches a prompt off and on again; clients are told that the list has changed.
#[tool]
fn test_trigger_prompt_change(components: Dep<Components>) {
    components.enable("switched_prompt", false);
    components.enable("switched_prompt", true);
}
