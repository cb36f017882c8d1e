//! Tools: every kind of result, every kind of argument, every way to fail.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what a component takes is owned: it comes out of a request"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use mcp_server::prelude::*;
use mcp_server::rmcp::model::CallToolResult;
use mcp_server::serde_json::{Value, json};
use mcp_server::{Server, tokio};

pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\xff";

#[schema]
pub struct Row {
    zebra: u64,
    apple: Option<f64>,
    names: Vec<String>,
}

pub fn row() -> Row {
    Row { zebra: u64::MAX, apple: Some(0.1), names: vec!["ü\u{2028}\u{0}\"\\".into()] }
}

/// Tools without arguments.
macro_rules! results {
    ($($name:ident [$($options:tt)*] -> $output:ty { $value:expr })+) => {
        $(
            /// Returns one kind of result.
            #[tool($($options)*)]
            fn $name() -> $output {
                $value
            }
        )+

        fn with_results(server: Server) -> Server {
            server$(.tool($name::def()))+
        }
    };
}

results! {
    text [read_only] -> String { "line\nline\ttab \u{7f} ü \u{1F600}".into() }
    cached [cache(ttl = "60s", scope = "public")] -> String { "kept".into() }
    large [cache(ttl = "60s")] -> String { "large \"ü\" ".repeat(300) }
    larger [cache(ttl = "60s")] -> String { "x".repeat(40_000) }
    too_large [read_only] -> String { "x".repeat(200_000) }
    nothing [idempotent] -> () { () }
    float [read_only] -> f64 { -0.0 }
    object [read_only] -> Json<Row> { Json(row()) }
    kept_object [cache(ttl = "60s")] -> Json<Row> { Json(row()) }
    list [read_only] -> Json<Vec<Row>> { Json(vec![row(), row()]) }
    kept_list [cache(ttl = "60s", scope = "public")] -> Json<Vec<Row>> { Json(vec![row()]) }
    null [read_only] -> Json<Option<Row>> { Json(None) }
    whole [read_only] -> Json<i64> { Json(i64::MIN) }
    huge [read_only] -> Json<u128> { Json(u128::MAX) }
    no_content [read_only] -> Vec<Content> { Vec::new() }
    kinds [read_only] -> Vec<Content> { kinds_of_content() }
    kept_kinds [cache] -> Vec<Content> { kinds_of_content() }
    from_rmcp [cache] -> CallToolResult { rmcp_result() }
    complains [read_only] -> ToolOutput { ToolOutput::new(["3 of 5 tests failed"]).error() }
    meta_object [read_only] -> ToolOutput { ToolOutput::new(["m"]).meta(json!({ "a/b": [1, null] })) }
    meta_number [read_only] -> ToolOutput { ToolOutput::new(["m"]).meta(json!(5)) }
    meta_null [read_only] -> ToolOutput { ToolOutput::new(["m"]).meta(Value::Null) }
    block_meta_number [read_only] -> Content { Content::text("m").meta(json!(5)) }
    secret [hidden] -> &'static str { "not in the list" }
    switched_off [read_only] -> &'static str { "not to be called" }
    blocks [blocking] -> &'static str { "blocked a thread" }
}

fn kinds_of_content() -> Vec<Content> {
    vec![
        Content::text("t")
            .audience(&[Role::User, Role::Assistant])
            .priority(0.1)
            .meta(json!({ "b": 1, "a": [null] })),
        Content::image(PNG, "image/png").priority(1.0),
        Content::audio(PNG, "audio/ogg").audience(&[Role::User]),
        Content::resource("lanes://embedded", "x").mime("text/x-e").priority(0.5),
        Content::resource("lanes://embedded/2", PNG),
        Content::link("lanes://linked", "linked").mime("text/plain").meta(json!({ "k": 1.5 })),
    ]
}

fn rmcp_result() -> CallToolResult {
    let result = json!({
        "content": [
            { "type": "text", "text": "t", "annotations": { "lastModified": "2025-01-12T15:00:58Z" } },
            { "type": "resource_link", "uri": "lanes://l", "name": "l", "title": "L", "size": 12 },
        ],
        "structuredContent": [9_007_199_254_740_993_u64, 1e300],
        "isError": false,
        "_meta": { "lanes/r": "meta" },
    });
    mcp_server::serde_json::from_value(result).unwrap()
}

/// Adds two numbers.
#[tool(read_only, title = "Addition", icons("https://example.com/plus.png"))]
fn add(
    /// The first.
    a: i64,
    /// The second.
    b: i64,
) -> i64 {
    a.wrapping_add(b)
}

/// Takes numbers of all sizes.
#[tool(read_only)]
fn numbers(
    small: Option<u8>,
    unsigned: Option<u64>,
    wide: Option<i128>,
    float: Option<f64>,
    single: Option<f32>,
) -> String {
    format!("{small:?} {unsigned:?} {wide:?} {float:?} {single:?}")
}

/// Takes one that is kept by its arguments.
#[tool(cache(ttl = "60s"))]
fn kept(text: Option<String>, #[serde(default)] number: f64, list: Option<Vec<i64>>) -> String {
    format!("{text:?} {number:?} {list:?}")
}

#[schema]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Other(u8),
}

/// Takes what is neither text nor number.
#[tool(read_only)]
fn shapes(
    flag: Option<bool>,
    letter: Option<char>,
    pair: Option<(i64, String)>,
    map: Option<BTreeMap<String, i64>>,
    colour: Option<Colour>,
) -> String {
    format!("{flag:?} {letter:?} {pair:?} {map:?} {colour:?}")
}

/// Returns what it is given, whatever it is.
#[tool(read_only)]
fn echo(value: Value) -> Json<Value> {
    Json(value)
}

/// Returns what it is given in two forms.
#[tool(read_only)]
fn dynamic(value: Value, failed: Option<bool>) -> Result<ToolOutput, ToolError> {
    let output = ToolOutput::new([value.to_string()]).structured(&value)?;
    Ok(if failed == Some(true) { output.error() } else { output })
}

#[schema]
struct Search {
    query: String,
    #[serde(default)]
    limit: u64,
    filter: Option<Filter>,
}

#[schema]
#[serde(deny_unknown_fields)]
struct Filter {
    field: String,
}

/// Takes a struct that ignores what it does not know.
#[tool(read_only)]
fn search(Args(search): Args<Search>) -> String {
    format!("{search:?}")
}

/// Takes any object.
#[tool(read_only)]
fn anything(Args(all): Args<BTreeMap<String, Value>>) -> String {
    format!("{all:?}")
}

/// Takes arguments that are headers too.
#[tool(read_only)]
fn region(
    #[schemars(extend("x-mcp-header" = "Region"))] region: Option<String>,
    #[schemars(extend("x-mcp-header" = "Count"))] count: Option<f64>,
    #[schemars(extend("x-mcp-header" = "Flag"))] flag: Option<bool>,
) -> String {
    format!("{region:?} {count:?} {flag:?}")
}

/// Fails in the way it is told to.
#[tool]
async fn fail(how: String) -> Result<String, ToolError> {
    match how.as_str() {
        "shown" => Err(ToolError::new("out of \"paper\"")),
        "missing" => Err(ToolError::not_found("no such printer")),
        "invalid" => Err(ToolError::invalid("`how` is none")),
        "hidden" => Ok("x".parse::<u32>()?.to_string()),
        "panic" => panic!("as told"),
        _ => Ok("it did not".into()),
    }
}

/// Ends after its limit.
#[tool(timeout = "5ms")]
async fn too_slow() -> String {
    std::future::pending().await
}

/// Comes back later.
#[tool]
async fn later() -> &'static str {
    tokio::time::sleep(Duration::from_millis(2)).await;
    "later"
}

/// Takes long enough to be cancelled.
#[tool]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(400)).await;
    "slow"
}

/// Talks to its client.
#[tool]
async fn talks(ctx: Ctx) -> String {
    ctx.progress(1.0, Some(2.0), Some("half")).await;
    ctx.log(LogLevel::Info, "said").await;
    "talked".into()
}

/// Asks its client.
#[tool]
async fn asks(ctx: Ctx) -> Result<String, ToolError> {
    Ok(format!("{:?}", ctx.elicit::<Row>("Which row?").await?.accepted()))
}

/// Says who calls.
#[tool(cache(ttl = "60s"))]
fn whoami(who: Identity) -> String {
    format!("{who:?}")
}

/// Is for those who may write.
#[tool(scopes("write"))]
fn guarded() -> &'static str {
    "written"
}

/// A result that has no form in JSON.
#[derive(JsonSchema)]
#[schemars(crate = "mcp_server::schemars")]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: mcp_server::serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(mcp_server::serde::ser::Error::custom("no form"))
    }
}

/// Cannot say what it has.
#[tool]
fn speechless() -> Json<Unwritable> {
    Json(Unwritable)
}

/// Switches a component on or off.
#[tool(hidden)]
fn switch(name: String, on: bool, components: Dep<Components>) -> bool {
    components.enable(&name, on)
}

pub fn with_tools(server: Server) -> Server {
    with_results(server)
        .tool(add::def())
        .tool(numbers::def())
        .tool(kept::def())
        .tool(shapes::def())
        .tool(echo::def())
        .tool(dynamic::def())
        .tool(search::def())
        .tool(anything::def())
        .tool(region::def())
        .tool(fail::def())
        .tool(too_slow::def())
        .tool(later::def())
        .tool(slow::def())
        .tool(talks::def())
        .tool(asks::def())
        .tool(whoami::def())
        .tool(speechless::def())
        .tool(switch::def())
}

/// Adds what only some callers may call.
pub fn with_guarded(server: Server) -> Server {
    server.tool(guarded::def())
}
