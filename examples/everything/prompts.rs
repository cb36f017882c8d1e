//! Prompts: text, arguments with suggestions, blocks, and one that asks before it answers.

use mcp_server::prelude::*;

use crate::tools::PIXEL;

/// Says one thing.
#[prompt]
fn test_simple_prompt() -> &'static str {
    "This is a simple prompt for testing."
}

/// Repeats its arguments.
#[prompt(complete(arg1 = values, arg2 = values))]
fn test_prompt_with_arguments(arg1: String, arg2: String) -> String {
    format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")
}

fn values(typed: &str) -> Vec<String> {
    let values = ["testValue1", "testValue2"].into_iter().filter(|value| value.starts_with(typed));
    values.map(str::to_owned).collect()
}

/// Shows a resource.
#[prompt]
fn test_prompt_with_embedded_resource(#[serde(rename = "resourceUri")] resource_uri: String) -> Vec<Message> {
    let resource =
        Content::resource(resource_uri, "Embedded resource content for testing.").mime("text/plain");
    vec![Message::user(resource), Message::user("Please process the embedded resource above.")]
}

/// Shows a picture.
#[prompt]
fn test_prompt_with_image() -> Vec<Message> {
    vec![Message::user(Content::image(PIXEL, "image/png")), Message::user("Please analyze the image above.")]
}

#[schema]
struct Context {
    context: String,
}

/// Asks what it is about.
#[prompt]
async fn test_input_required_result_prompt(ctx: Ctx) -> Result<String, ToolError> {
    let answer = ctx.elicit_as::<Context>("user_context", "What context should the prompt use?").await?;
    let context =
        answer.accepted().map_or_else(|| "nothing in particular".to_owned(), |answer| answer.context);
    Ok(format!("Consider this context: {context}"))
}

/// Is switched by `test_trigger_prompt_change`.
#[prompt]
fn switched_prompt() -> &'static str {
    "on"
}
