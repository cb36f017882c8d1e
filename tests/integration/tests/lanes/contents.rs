//! Resources and prompts: every kind of content, every way to fail.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what a component takes is owned: it comes out of a request"
)]

use mcp_server::Server;
use mcp_server::prelude::*;
use mcp_server::serde_json::json;

use super::tools::{PNG, Row, row};

/// Resources without variables.
macro_rules! resources {
    ($($name:ident [$($options:tt)*] -> $output:ty { $value:expr })+) => {
        $(
            /// One kind of content.
            #[resource($($options)*)]
            fn $name() -> $output {
                $value
            }
        )+

        fn with_resources(server: Server) -> Server {
            server$(.resource($name::def()))+
        }
    };
}

resources! {
    fixed [uri = "lanes://fixed"] -> &'static str { "Be \"kind\"." }
    typed [uri = "lanes://typed", mime = "text/markdown", cacheable(ttl = "60s")] -> &'static str { "# T\r\n" }
    blob [uri = "lanes://blob", mime = "image/png", cacheable(ttl = "60s", scope = "public")] -> Vec<u8> { PNG.to_vec() }
    large_part [uri = "lanes://large", cacheable] -> String { "large \"ü\" ".repeat(300) }
    document [uri = "lanes://json", cacheable(ttl = "60s", scope = "tenant")] -> Json<Row> { Json(row()) }
    own_uri [uri = "lanes://own", cacheable] -> Contents { Contents::new("x").uri("lanes://own/part") }
    part_meta [uri = "lanes://meta"] -> Contents { Contents::new("x").meta(json!({ "uri": 1 })) }
    part_meta_number [uri = "lanes://meta/number"] -> Contents { Contents::new("x").meta(json!(5)) }
    two_parts [uri = "lanes://two", cacheable] -> Vec<Contents> {
        vec![Contents::new("1"), Contents::new(PNG).uri("lanes://two/2").mime("image/png")]
    }
    one_in_list [uri = "lanes://one"] -> Vec<Contents> { vec![Contents::new("\"uri\":")] }
    no_parts [uri = "lanes://none"] -> Vec<Contents> { Vec::new() }
    hidden_resource [uri = "lanes://hidden", hidden] -> &'static str { "not in the list" }
    switched_off_resource [uri = "lanes://off"] -> &'static str { "not to be read" }
}

/// One of many.
#[resource(uri = "lanes://item/{id}{?q}", cacheable(ttl = "60s"))]
fn item(id: u64, q: Option<String>) -> Result<String, ToolError> {
    match id {
        404 => Err(ToolError::not_found("no such item")),
        400 => Err(ToolError::invalid("a bad item")),
        500 => Ok("x".parse::<u32>()?.to_string()),
        501 => panic!("as told"),
        _ => Ok(format!("{id} {q:?}")),
    }
}

/// Text that is part of a path.
#[resource(uri = "lanes://path/{+path}", mime = "text/plain")]
fn path(path: String) -> String {
    path
}

/// Talks to its client.
#[resource(uri = "lanes://talks")]
async fn talking(ctx: Ctx) -> &'static str {
    ctx.progress(1.0, None, None).await;
    "talked"
}

/// Has instances that are listed.
#[resource(uri = "lanes://listed/{id}", list = instances)]
fn listed(id: u64) -> String {
    id.to_string()
}

fn instances() -> Vec<Listed> {
    vec![Listed::new("lanes://listed/1", "listed 1")]
}

/// Reviews a piece of code.
#[prompt(title = "Code review", complete(language = languages))]
fn review(
    /// What to review.
    code: String,
    /// What it is written in.
    language: Option<String>,
) -> Vec<Message> {
    vec![
        Message::user(format!("{code} {language:?}")),
        Message::assistant(Content::link("lanes://fixed", "l")),
    ]
}

fn languages(typed: &str) -> Vec<&'static str> {
    ["rust", "ruby"].into_iter().filter(|language| language.starts_with(typed)).collect()
}

#[prompt]
fn bare() -> &'static str {
    "No description, no arguments."
}

/// Takes more than text.
#[prompt(cache(ttl = "60s"))]
fn counted(count: u32, exact: Option<bool>, ratio: Option<f64>) -> String {
    format!("{count} {exact:?} {ratio:?}")
}

/// Messages of every kind.
#[prompt(cache(ttl = "60s", scope = "public"))]
fn messages() -> Vec<Message> {
    vec![
        Message::user("ü".repeat(800)),
        Message::assistant(Content::image(PNG, "image/png").priority(0.1)),
        Message::user(Content::audio(PNG, "audio/wav")),
        Message::user(Content::resource("lanes://embedded", PNG)),
    ]
}

/// Has nothing to say.
#[prompt]
fn silent() -> Vec<Message> {
    Vec::new()
}

/// Says what the protocol cannot.
#[prompt]
fn odd_meta() -> Message {
    Message::user(Content::text("m").meta(json!([])))
}

/// Fails in the way it is told to.
#[prompt]
fn failing(how: String) -> Result<String, ToolError> {
    match how.as_str() {
        "missing" => Err(ToolError::not_found("no such thing")),
        "invalid" => Err(ToolError::invalid("a bad thing")),
        "hidden" => Ok("x".parse::<u32>()?.to_string()),
        "panic" => panic!("as told"),
        _ => Err(ToolError::new("out of order")),
    }
}

/// Talks to its client.
#[prompt]
async fn talkative(ctx: Ctx) -> &'static str {
    ctx.log(LogLevel::Info, "said").await;
    "talked"
}

/// Is in no list.
#[prompt(hidden)]
fn unlisted() -> &'static str {
    "unlisted"
}

pub fn with_contents(server: Server) -> Server {
    with_resources(server)
        .resource(item::def())
        .resource(path::def())
        .resource(talking::def())
        .prompt(review::def())
        .prompt(bare::def())
        .prompt(counted::def())
        .prompt(messages::def())
        .prompt(silent::def())
        .prompt(odd_meta::def())
        .prompt(failing::def())
        .prompt(talkative::def())
        .prompt(unlisted::def())
}

/// Adds a template whose instances are enumerated at each request for a list.
pub fn with_listed(server: Server) -> Server {
    server.resource(listed::def())
}
