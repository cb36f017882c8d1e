//! The server that these tests talk to.

use std::time::Duration;

use mcp_server::prelude::*;
use mcp_server::{Server, serde_json, tokio};

/// Adds two numbers.
#[tool(read_only, idempotent, title = "Addition", icons("https://example.com/plus.png"))]
pub fn add(
    /// The first number.
    a: i64,
    /// The second number.
    b: i64,
) -> i64 {
    a + b
}

#[schema]
pub struct Product {
    id: u64,
    name: String,
}

/// Lists products.
#[tool(read_only, cache(ttl = "60s", scope = "public", tags("products")), meta = serde_json::json!({ "example.com/cost": 3 }))]
pub async fn products() -> Json<Vec<Product>> {
    Json(vec![Product { id: 7, name: "hammer".into() }])
}

/// One product.
#[tool]
pub fn one_product(id: u64) -> Json<Product> {
    Json(Product { id, name: "hammer".into() })
}

/// Every kind of content.
#[tool]
pub fn every_kind() -> Vec<Content> {
    vec![
        Content::text("text").audience(&[Role::User]).priority(0.5),
        Content::image(b"\x89PNG", "image/png"),
        Content::audio(b"RIFF", "audio/wav"),
        Content::resource("test://embedded", "embedded").mime("text/plain"),
        Content::link("test://linked", "linked"),
    ]
}

/// Changes the price.
#[tool(destructive, invalidates(tag("products"), resource("product://{id}")))]
pub fn set_price(id: u64, price: f64) {
    let _ = (id, price);
}

/// Fails in the way it is told to.
#[tool]
pub async fn fail(how: String) -> Result<String, ToolError> {
    match how.as_str() {
        "shown" => Err(ToolError::new("the printer is out of paper")),
        "missing" => Err(ToolError::not_found("no such printer")),
        "hidden" => Ok("x".parse::<u32>()?.to_string()),
        "panic" => panic!("as told"),
        _ => Ok("it did not".into()),
    }
}

/// Takes its time, and reports it.
#[tool]
pub async fn slow(steps: u32, ctx: Ctx) -> String {
    for step in 0..steps {
        if ctx.is_cancelled() {
            return "cancelled".into();
        }
        ctx.progress(f64::from(step + 1), Some(f64::from(steps)), Some("working")).await;
        ctx.log(LogLevel::Info, format!("step {step}")).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    "done".into()
}

/// Never ends, unless it is told to.
#[tool]
pub async fn endless(ctx: Ctx) -> String {
    ctx.cancelled().await;
    "cancelled".into()
}

/// Ends after its limit.
#[tool(timeout = "50ms")]
pub async fn too_slow() -> String {
    std::future::pending().await
}

/// A word whose reading panics where it says so.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(crate = "mcp_server::schemars", transparent)]
pub struct Touchy(String);

impl<'de> Deserialize<'de> for Touchy {
    fn deserialize<D: mcp_server::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        assert!(word != "panic", "as told");
        Ok(Self(word))
    }
}

/// Says what it is told, unless that cannot be read.
#[tool]
pub fn touchy(value: Touchy) -> String {
    value.0
}

/// A result that has no JSON form.
#[derive(JsonSchema)]
#[schemars(crate = "mcp_server::schemars")]
pub struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: mcp_server::serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(mcp_server::serde::ser::Error::custom("no form"))
    }
}

/// Changes something, and cannot say what.
#[tool(invalidates(tag("products")))]
pub fn speechless() -> Json<Unwritable> {
    Json(Unwritable)
}

/// Says what is wrong in its own words.
#[tool]
pub fn complains() -> ToolOutput {
    ToolOutput::new(["3 of 5 tests failed"]).error()
}

#[schema]
pub struct Name {
    /// What you are called.
    name: String,
}

/// Greets the user, whose name it asks.
#[tool]
pub async fn greet(ctx: Ctx) -> Result<String, ToolError> {
    Ok(match ctx.elicit::<Name>("What is your name?").await? {
        Elicited::Accepted(Name { name }) => format!("Hello, {name}!"),
        Elicited::Declined => "Hello, whoever you are!".into(),
        Elicited::Cancelled => "Hello?".into(),
    })
}

/// Asks three things, one after the other and two at once.
#[tool]
pub async fn interview(topic: String, ctx: Ctx) -> Result<String, ToolError> {
    let Some(Name { name }) = ctx.elicit::<Name>("Your name?").await?.accepted() else {
        return Err(ToolError::new("no name, no interview"));
    };
    let question = Sample::user(format!("One question about {topic}")).max_tokens(50);
    let (question, roots) = tokio::join!(ctx.sample(question), ctx.roots());
    Ok(format!("{name} on {topic}: {} ({} roots)", question?.text(), roots?.len()))
}

/// Switches the tool `add`, or another component, on or off.
#[tool]
pub fn switch(on: bool, name: Option<String>, components: Dep<Components>) -> bool {
    components.enable(name.as_deref().unwrap_or("add"), on)
}

/// One product.
#[resource(uri = "product://{id}", mime = "application/json", cacheable(ttl = "60s", tags("products")), list = all_products)]
pub fn product(id: u64) -> Result<Json<Product>, ToolError> {
    if id == 404 {
        return Err(ToolError::not_found("no such product"));
    }
    Ok(Json(Product { id, name: "hammer".into() }))
}

fn all_products() -> Vec<Listed> {
    (1..=3).map(|id| Listed::new(format!("product://{id}"), format!("product {id}")).size(30)).collect()
}

/// The logo.
#[resource(uri = "test://logo", mime = "image/png", cacheable(scope = "public"))]
pub fn logo() -> Vec<u8> {
    vec![0x89, b'P', b'N', b'G', 0, 255]
}

/// The terms, which are never cached.
#[resource(uri = "test://terms")]
pub fn terms() -> &'static str {
    "Be kind."
}

/// Reviews a piece of code.
#[prompt(title = "Code review", complete(language = languages))]
pub fn review(
    /// What to review.
    code: String,
    /// What it is written in.
    language: Option<String>,
) -> Vec<Message> {
    vec![
        Message::user(format!("Review this {}: {code}", language.unwrap_or_else(|| "code".into()))),
        Message::assistant(Content::link("test://terms", "terms")),
    ]
}

fn languages(typed: &str) -> Vec<&'static str> {
    ["rust", "ruby", "go"].into_iter().filter(|language| language.starts_with(typed)).collect()
}

/// A prompt that asks first.
#[prompt]
pub async fn ask_first(ctx: Ctx) -> Result<String, ToolError> {
    let name =
        ctx.elicit::<Name>("For whom?").await?.accepted().map_or_else(|| "anybody".into(), |name| name.name);
    Ok(format!("Write a poem for {name}."))
}

/// Returns the server of all these.
pub fn server() -> Server {
    Server::builder()
        .name("protocol-tests")
        .version("1.2.3")
        .instructions("For tests.")
        .config(Config::default())
        .tool(add::def())
        .tool(products::def())
        .tool(one_product::def())
        .tool(every_kind::def())
        .tool(set_price::def())
        .tool(fail::def())
        .tool(slow::def())
        .tool(endless::def())
        .tool(too_slow::def())
        .tool(greet::def())
        .tool(interview::def())
        .tool(switch::def())
        .tool(touchy::def())
        .tool(complains::def())
        .tool(speechless::def())
        .resource(product::def())
        .resource(logo::def())
        .resource(terms::def())
        .prompt(review::def())
        .prompt(ask_first::def())
}
