//! Tools that ask: the user, the client's model, the client.
//!
//! To the function it is one await. Before revision 2026-07-28 the question is a request to the
//! client; since then the call ends with it, and the client repeats the call with the answer.

use mcp_server::prelude::*;
use mcp_server::serde_json::{Value, json};
use mcp_server::tokio;

#[schema]
struct Name {
    name: String,
}

#[schema]
struct Color {
    color: String,
}

#[schema]
struct Confirmation {
    ok: bool,
}

fn shown(answer: Elicited<impl Serialize>) -> String {
    match answer {
        Elicited::Accepted(content) => format!("action=accept, content={}", json!(content)),
        Elicited::Declined => "action=decline".to_owned(),
        Elicited::Cancelled => "action=cancel".to_owned(),
    }
}

#[schema]
struct User {
    /// User's response
    username: String,
    /// User's email address
    email: String,
}

/// Asks the user.
#[tool(read_only)]
async fn test_elicitation(message: String, ctx: Ctx) -> Result<String, ToolError> {
    let answer = ctx.elicit::<User>(&message).await?;
    Ok(format!("User response: {}", shown(answer)))
}

#[schema]
#[serde(default)]
struct Profile {
    name: String,
    age: i64,
    score: f64,
    status: Status,
    verified: bool,
}

#[schema]
#[serde(rename_all = "lowercase")]
enum Status {
    Active,
    Inactive,
    Pending,
}

impl Default for Profile {
    fn default() -> Self {
        Self { name: "John Doe".to_owned(), age: 30, score: 95.5, status: Status::Active, verified: true }
    }
}

/// Asks the user with a form that is filled in already.
#[tool(read_only)]
async fn test_elicitation_sep1034_defaults(ctx: Ctx) -> Result<String, ToolError> {
    let answer = ctx.elicit::<Profile>("Please check your profile").await?;
    Ok(format!("Elicitation completed: {}", shown(answer)))
}

/// Asks the user with each kind of choice that forms have.
#[tool(read_only)]
async fn test_elicitation_sep1330_enums(ctx: Ctx) -> Result<String, ToolError> {
    let options = ["option1", "option2", "option3"];
    let titled = |titles: [&str; 3]| -> Vec<Value> {
        let values = ["value1", "value2", "value3"].into_iter().zip(titles);
        values.map(|(value, title)| json!({ "const": value, "title": title })).collect()
    };
    let form = json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": options },
            "titledSingle": { "type": "string", "oneOf": titled(["First Option", "Second Option", "Third Option"]) },
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": options } },
            "titledMulti": {
                "type": "array",
                "items": { "anyOf": titled(["First Choice", "Second Choice", "Third Choice"]) },
            },
        },
    });
    let answer = ctx.elicit_with("Please choose", form).await?;
    Ok(format!("Elicitation completed: {}", shown(answer)))
}

/// Asks the client's model.
#[tool(read_only)]
async fn test_sampling(prompt: String, ctx: Ctx) -> Result<String, ToolError> {
    let answer = ctx.sample(Sample::user(prompt).max_tokens(100)).await?;
    Ok(format!("LLM response: {}", answer.text()))
}

/// Needs the client's model: a client without one is told what is missing.
#[tool(read_only)]
async fn test_missing_capability(ctx: Ctx) -> Result<String, ToolError> {
    let answer = ctx.sample(Sample::user("Say hello.").max_tokens(100)).await?;
    Ok(answer.text())
}

/// Asks for a name.
#[tool(read_only)]
async fn test_streaming_elicitation(ctx: Ctx) -> Result<String, ToolError> {
    greet(&ctx).await
}

/// Asks for a name.
#[tool(read_only)]
async fn test_input_required_result_elicitation(ctx: Ctx) -> Result<String, ToolError> {
    greet(&ctx).await
}

async fn greet(ctx: &Ctx) -> Result<String, ToolError> {
    let answer = ctx.elicit_as::<Name>("user_name", "What is your name?").await?;
    Ok(format!("Hello, {}!", answer.accepted().map_or_else(|| "stranger".to_owned(), |answer| answer.name)))
}

/// Asks the client's model.
#[tool(read_only)]
async fn test_input_required_result_sampling(ctx: Ctx) -> Result<String, ToolError> {
    let answer = ctx.sample(Sample::user("What is the capital of France?").max_tokens(100)).await?;
    Ok(answer.text())
}

/// Asks the client for its directories.
#[tool(read_only)]
async fn test_input_required_result_list_roots(ctx: Ctx) -> Result<String, ToolError> {
    Ok(format!("The client's roots: {}", listed(&ctx.roots().await?)))
}

fn listed(roots: &[mcp_server::Root]) -> String {
    let uris: Vec<&str> = roots.iter().map(|root| root.uri.as_str()).collect();
    uris.join(", ")
}

/// Asks for a confirmation; the state between the two calls is sealed.
#[tool(read_only)]
async fn test_input_required_result_request_state(ctx: Ctx) -> Result<String, ToolError> {
    confirm(&ctx).await
}

/// Asks for a confirmation; a state that was changed on the way is refused.
#[tool(read_only)]
async fn test_input_required_result_tampered_state(ctx: Ctx) -> Result<String, ToolError> {
    confirm(&ctx).await
}

async fn confirm(ctx: &Ctx) -> Result<String, ToolError> {
    let answer = ctx.elicit_as::<Confirmation>("confirm", "Please confirm").await?;
    let confirmed = answer.accepted().is_some_and(|answer| answer.ok);
    Ok(format!("state-ok, {}", if confirmed { "confirmed" } else { "not confirmed" }))
}

/// Asks the user, the model and the client at once: side by side, three questions are one round.
#[tool(read_only)]
async fn test_input_required_result_multiple_inputs(ctx: Ctx) -> Result<String, ToolError> {
    let (name, greeting, roots) = tokio::join!(
        ctx.elicit_as::<Name>("user_name", "What is your name?"),
        ctx.sample(Sample::user("Generate a greeting").max_tokens(50)),
        ctx.roots(),
    );
    let name = name?.accepted().map_or_else(|| "stranger".to_owned(), |answer| answer.name);
    Ok(format!("{} {name}, you opened {}.", greeting?.text(), listed(&roots?)))
}

/// Asks twice: the first answer is still there in the third round.
#[tool(read_only)]
async fn test_input_required_result_multi_round(ctx: Ctx) -> Result<String, ToolError> {
    let name = ctx.elicit_as::<Name>("step1", "Step 1: What is your name?").await?;
    let color = ctx.elicit_as::<Color>("step2", "Step 2: What is your favorite color?").await?;
    Ok(format!("First {}, then {}.", shown(name), shown(color)))
}

/// Asks whom it can: the user, or else the client's model.
#[tool(read_only)]
async fn test_input_required_result_capabilities(ctx: Ctx) -> Result<String, ToolError> {
    if ctx.can_elicit() {
        return greet(&ctx).await;
    }
    let answer = ctx.sample(Sample::user("Think of a name.").max_tokens(50)).await?;
    Ok(answer.text())
}
