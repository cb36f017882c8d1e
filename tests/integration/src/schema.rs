//! The official schemas, where they are at hand.
//!
//! The repository carries no copy of them: they are looked for in the folder that `MCP_SCHEMA_DIR`
//! names, or in `../shared/spec` beside the checkout, as `mcp-<revision>.schema.json`. Where they are
//! missing, this check is skipped, and says so once.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::{Value, json};

/// Panics where a message that a server sent does not fit the schema of its revision.
///
/// `method` is that of the request which the message answers, if it is an answer.
pub fn check(revision: &str, method: Option<&str>, message: &Value) {
    let Some(name) = definition(revision, method, message) else { return };
    let whole = if message.get("error").is_some() { "JSONRPCErrorResponse" } else { "JSONRPCMessage" };
    fits(revision, whole, message);
    match message.get("result") {
        Some(result) => fits(revision, &name, result),
        None => fits(revision, &name, message),
    }
}

/// Returns the definition that a message must fit, or `None` where the revision has no schema here.
fn definition(revision: &str, method: Option<&str>, message: &Value) -> Option<String> {
    schemas().get(revision)?;
    if message.get("error").is_some() {
        return Some("JSONRPCErrorResponse".to_owned());
    }
    if let Some(result) = message.get("result") {
        if result.get("resultType").and_then(Value::as_str) == Some("input_required") {
            return Some("InputRequiredResult".to_owned());
        }
        let name = match method.unwrap_or_else(|| panic!("an answer to nothing: {message}")) {
            "initialize" => "InitializeResult",
            "server/discover" => "DiscoverResult",
            "tools/list" => "ListToolsResult",
            "tools/call" => "CallToolResult",
            "resources/list" => "ListResourcesResult",
            "resources/templates/list" => "ListResourceTemplatesResult",
            "resources/read" => "ReadResourceResult",
            "prompts/list" => "ListPromptsResult",
            "prompts/get" => "GetPromptResult",
            "completion/complete" => "CompleteResult",
            "subscriptions/listen" => "SubscriptionsListenResult",
            "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => "EmptyResult",
            other => panic!("no result is known for `{other}`: {message}"),
        };
        return Some(name.to_owned());
    }
    let method =
        message["method"].as_str().unwrap_or_else(|| panic!("neither request nor answer: {message}"));
    let name = match method {
        "notifications/progress" => "ProgressNotification",
        "notifications/message" => "LoggingMessageNotification",
        "notifications/cancelled" => "CancelledNotification",
        "notifications/resources/updated" => "ResourceUpdatedNotification",
        "notifications/resources/list_changed" => "ResourceListChangedNotification",
        "notifications/tools/list_changed" => "ToolListChangedNotification",
        "notifications/prompts/list_changed" => "PromptListChangedNotification",
        "notifications/subscriptions/acknowledged" => "SubscriptionsAcknowledgedNotification",
        "elicitation/create" => "ElicitRequest",
        "sampling/createMessage" => "CreateMessageRequest",
        "roots/list" => "ListRootsRequest",
        "ping" => "PingRequest",
        other => panic!("a server has no `{other}` to send: {message}"),
    };
    Some(name.to_owned())
}

fn fits(revision: &str, name: &str, value: &Value) {
    static VALIDATORS: Mutex<Option<HashMap<String, &'static Validator>>> = Mutex::new(None);

    let validator = {
        let mut validators = VALIDATORS.lock().unwrap();
        let key = format!("{revision}/{name}");
        *validators.get_or_insert_default().entry(key).or_insert_with(|| {
            let mut schema = schemas()[revision].clone();
            assert!(schema["$defs"].get(name).is_some(), "revision {revision} has no `{name}`");
            schema["$ref"] = json!(format!("#/$defs/{name}"));
            Box::leak(Box::new(jsonschema::validator_for(&schema).unwrap()))
        })
    };
    let errors: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{revision}: no `{name}`: {}\n{value:#}", errors.join("; "));
}

fn schemas() -> &'static HashMap<String, Value> {
    static SCHEMAS: OnceLock<HashMap<String, Value>> = OnceLock::new();

    SCHEMAS.get_or_init(|| {
        let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec");
        let folder = std::env::var_os("MCP_SCHEMA_DIR").map_or(beside, PathBuf::from);
        let mut schemas = HashMap::new();
        for revision in crate::REVISIONS {
            if let Ok(text) = std::fs::read_to_string(folder.join(format!("mcp-{revision}.schema.json"))) {
                schemas.insert(revision.to_owned(), serde_json::from_str(&text).unwrap());
            }
        }
        if schemas.is_empty() {
            println!("skipped: no official schemas (set MCP_SCHEMA_DIR to the folder of mcp-<revision>.schema.json)");
        }
        schemas
    })
}
