//! The components, most of them one line: a name and its attribute.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what a component takes is owned: it comes out of a request"
)]

use mcp_server::prelude::*;
use mcp_server::serde_json::Value;

use super::lab::Lab;

/// Tools that take an `id` and do what the lab says for `name:id`.
macro_rules! tools {
    ($($name:ident [$($options:tt)*])+) => {$(
        #[tool($($options)*)]
        pub(crate) async fn $name(id: String, lab: Dep<Lab>) -> Result<ToolOutput, ToolError> {
            lab.run(&format!(concat!(stringify!($name), ":{}"), id)).await
        }
    )+};
}

tools! {
    plain [cache(ttl = "100s")]
    public [cache(ttl = "100s", scope = "public")]
    bare [cache]
    brief [cache = "1500ms"]
    renewed [cache(ttl = "100s", version = 2)]
    negative [cache(ttl = "100s", negative = "10s")]
    stale [cache(ttl = "10s", stale = "5s")]
    resilient [cache(ttl = "10s", stale_if_error = "60s")]
    ahead [cache(ttl = "100s", refresh_ahead = 0.8)]
    lasting [cache(ttl = "10s", stale = "10s", stale_if_error = "60s", negative = "5s", tags("lasting:{id}"))]
    timed [cache(ttl = "100s"), timeout = "50ms"]
    resilient_timed [cache(ttl = "10s", stale_if_error = "60s"), timeout = "50ms"]
    small [cache(ttl = "100s", max_bytes = "1KB")]
    uncached [read_only]
    local [cache(ttl = "100s", levels = "memory")]
    lone [cache(ttl = "100s"), concurrency = 1]
    blocked [cache(ttl = "100s"), hidden]
}

/// A prompt with the name, the arguments and the schema of a tool.
#[prompt(name = "plain", cache(ttl = "100s"))]
pub(crate) async fn plain_prompt(id: String, lab: Dep<Lab>) -> Result<String, ToolError> {
    lab.text(&format!("plain prompt:{id}")).await
}

/// A resource with the name and the arguments of a tool.
#[resource(name = "plain", uri = "lab://plain/{id}", cacheable(ttl = "100s", negative = "10s"))]
pub(crate) async fn plain_resource(id: String, lab: Dep<Lab>) -> Result<String, ToolError> {
    lab.text(&format!("plain resource:{id}")).await
}

// Keys.

#[schema]
#[derive(PartialEq)]
pub(crate) struct Search {
    pub(crate) query: String,
    #[serde(default = "ten")]
    pub(crate) limit: u64,
    #[serde(default)]
    pub(crate) ratio: f64,
    #[serde(default)]
    pub(crate) filters: std::collections::BTreeMap<String, std::collections::BTreeMap<String, i64>>,
    #[serde(default)]
    pub(crate) order: Option<Vec<String>>,
}

fn ten() -> u64 {
    10
}

/// Searches by a struct that ignores what it does not know.
#[tool(cache(ttl = "100s"))]
pub(crate) async fn search(Args(search): Args<Search>, lab: Dep<Lab>) -> Result<ToolOutput, ToolError> {
    lab.run(&format!("search:{}", search.query)).await
}

/// Takes parameters of every simple kind.
#[tool(cache(ttl = "100s"))]
pub(crate) async fn typed(
    a: String,
    b: Option<String>,
    #[serde(default)] n: i64,
    #[serde(default)] x: f64,
    lab: Dep<Lab>,
) -> Result<ToolOutput, ToolError> {
    let _ = (a, b, n, x);
    lab.run("typed:").await
}

/// Takes anything.
#[tool(cache(ttl = "100s"))]
pub(crate) async fn dynamic(value: Value, lab: Dep<Lab>) -> Result<ToolOutput, ToolError> {
    let _ = value;
    lab.run("dynamic:").await
}

/// Takes a number that may be none.
#[resource(uri = "lab://number/{x}", cacheable(ttl = "100s"))]
pub(crate) async fn number(x: f64, lab: Dep<Lab>) -> Result<String, ToolError> {
    let _ = x;
    lab.text("number:").await
}

/// Only `id` counts.
#[tool(cache(ttl = "100s", key(id)))]
pub(crate) async fn keyed(id: String, hint: String, lab: Dep<Lab>) -> Result<ToolOutput, ToolError> {
    let _ = hint;
    lab.run(&format!("keyed:{id}")).await
}

/// All but `hint` counts.
#[tool(cache(ttl = "100s", skip(hint)))]
pub(crate) async fn skipping(id: String, hint: String, lab: Dep<Lab>) -> Result<ToolOutput, ToolError> {
    let _ = hint;
    lab.run(&format!("skipping:{id}")).await
}

/// Only `query` of the struct counts.
#[tool(cache(ttl = "100s", key(query)))]
pub(crate) async fn loose(Args(search): Args<Search>, lab: Dep<Lab>) -> Result<ToolOutput, ToolError> {
    lab.run(&format!("loose:{}", search.query)).await
}

// What is kept.

/// Uses the cache for short ids only.
#[tool(cache(ttl = "100s", when = is_short))]
pub(crate) async fn choosy(id: String, lab: Dep<Lab>) -> Result<ToolOutput, ToolError> {
    lab.run(&format!("choosy:{id}")).await
}

#[expect(clippy::ptr_arg, reason = "`when` is given a reference to the argument")]
fn is_short(id: &String) -> bool {
    id.len() < 3
}

/// Keeps everything but `later`.
#[tool(cache(ttl = "100s", unless = |text: &String| text == "later"))]
pub(crate) async fn patient(id: String, lab: Dep<Lab>) -> Result<String, ToolError> {
    lab.text(&format!("patient:{id}")).await
}

/// Has nothing to say.
#[tool(cache(ttl = "100s"))]
pub(crate) async fn nothing(id: String, lab: Dep<Lab>) -> Result<(), ToolError> {
    lab.run(&format!("nothing:{id}")).await.map(drop)
}

/// Finds nothing.
#[tool(cache(ttl = "100s"))]
pub(crate) async fn no_blocks(id: String, lab: Dep<Lab>) -> Result<Vec<Content>, ToolError> {
    lab.run(&format!("no_blocks:{id}")).await.map(|_| Vec::new())
}

/// Finds nothing, as JSON.
#[tool(cache(ttl = "100s"))]
pub(crate) async fn no_rows(id: String, lab: Dep<Lab>) -> Result<Json<Vec<String>>, ToolError> {
    lab.run(&format!("no_rows:{id}")).await.map(|_| Json(Vec::new()))
}

/// Contains nothing.
#[resource(uri = "lab://empty/{id}", cacheable(ttl = "100s"))]
pub(crate) async fn no_parts(id: String, lab: Dep<Lab>) -> Result<Vec<Contents>, ToolError> {
    lab.run(&format!("no_parts:{id}")).await.map(|_| Vec::new())
}

#[schema]
pub(crate) struct Sure {
    sure: bool,
}

/// Asks before it answers.
#[tool(cache(ttl = "100s", scope = "public", skip(ctx)))]
pub(crate) async fn confirm(id: String, ctx: Ctx, lab: Dep<Lab>) -> Result<String, ToolError> {
    ctx.elicit::<Sure>("Sure?").await?;
    lab.text(&format!("confirm:{id}")).await
}

/// Asks before it is read.
#[resource(uri = "lab://confirm/{id}", cacheable(ttl = "100s", scope = "public", skip(ctx)))]
pub(crate) async fn confirm_resource(id: String, ctx: Ctx, lab: Dep<Lab>) -> Result<String, ToolError> {
    ctx.elicit::<Sure>("Sure?").await?;
    lab.text(&format!("confirm:{id}")).await
}

/// Asks before it speaks.
#[prompt(name = "confirm", cache(ttl = "100s", scope = "public", skip(ctx)))]
pub(crate) async fn confirm_prompt(id: String, ctx: Ctx, lab: Dep<Lab>) -> Result<String, ToolError> {
    ctx.elicit::<Sure>("Sure?").await?;
    lab.text(&format!("confirm:{id}")).await
}

/// Calls itself, up to three times.
#[tool(cache(ttl = "100s"))]
pub(crate) async fn recursive(id: String, lab: Dep<Lab>) -> Result<ToolOutput, ToolError> {
    let run = lab.run(&format!("recursive:{id}")).await;
    if lab.runs(&format!("recursive:{id}")) < 3 {
        let called = lab.server().call_tool("recursive", mcp_server::serde_json::json!({ "id": id })).await;
        return Ok(ToolOutput::new([called.unwrap().text()]));
    }
    run
}

// Readers of the origin's version, and those who change it.

/// Reads.
#[tool(cache(ttl = "100s", scope = "public", tags("item:{id}", "items")))]
pub(crate) async fn reader(id: String, lab: Dep<Lab>) -> String {
    lab.read(&format!("reader:{id}")).await
}

/// Reads, and for another 900 s gives old results while it does.
#[tool(cache(ttl = "100s", stale = "900s", stale_if_error = "1000s", tags("item:{id}", "items")))]
pub(crate) async fn stale_reader(id: String, lab: Dep<Lab>) -> String {
    lab.read(&format!("stale_reader:{id}")).await
}

/// Reads.
#[resource(uri = "lab://read/{id}", cacheable(ttl = "100s", scope = "public", tags("item:{id}", "items")))]
pub(crate) async fn read(id: String, lab: Dep<Lab>) -> String {
    lab.read(&format!("read:{id}")).await
}

/// Reads by a number, which may be written in more than one way.
#[resource(uri = "lab://row/{id}", cacheable(ttl = "100s", scope = "public"))]
pub(crate) async fn row(id: u64, lab: Dep<Lab>) -> String {
    lab.read(&format!("row:{id}")).await
}

/// Reads.
#[prompt(cache(ttl = "100s", scope = "public", tags("item:{id}", "items")))]
pub(crate) async fn told(id: String, lab: Dep<Lab>) -> String {
    lab.read(&format!("told:{id}")).await
}

/// Tools that change the origin, unless the lab says that they fail.
macro_rules! changes {
    ($($name:ident [$($options:tt)*])+) => {$(
        #[tool(destructive, $($options)*)]
        pub(crate) async fn $name(id: String, lab: Dep<Lab>) -> Result<ToolOutput, ToolError> {
            let output = lab.run(&format!(concat!(stringify!($name), ":{}"), id)).await?;
            lab.change();
            Ok(output)
        }
    )+};
}

changes! {
    change_item [invalidates(tag("item:{id}"))]
    change_items [invalidates(tag("items"))]
    change_resource [invalidates(resource("lab://read/{id}"))]
    change_row [invalidates(resource("lab://row/{id}"))]
    change_tool [invalidates(tool(reader))]
    change_prompt [invalidates(prompt(told))]
    change_all [invalidates(tag("item:{id}"), resource("lab://read/{id}"), tool(reader), tool(stale_reader), prompt(told))]
    change_nothing []
    change_in_time [invalidates(tag("item:{id}")), timeout = "50ms"]
}

/// Changes the origin and says so to the cache itself.
#[tool(destructive)]
pub(crate) async fn change_by_hand(how: String, id: String, cache: Dep<Cache>, lab: Dep<Lab>) {
    lab.change();
    match how.as_str() {
        "tag" => cache.invalidate_tag(&format!("item:{id}")).await,
        "resource" => cache.invalidate_resource(&format!("lab://read/{id}")).await,
        "clear" => cache.clear().await,
        "arguments" => {
            reader::invalidate(&cache, id.clone()).await;
            stale_reader::invalidate(&cache, id.clone()).await;
            read::invalidate(&cache, id.clone()).await;
            told::invalidate(&cache, id).await;
        }
        "component" => {
            reader::invalidate_all(&cache).await;
            stale_reader::invalidate_all(&cache).await;
            read::invalidate_all(&cache).await;
            told::invalidate_all(&cache).await;
        }
        other => unreachable!("{other}"),
    }
}

/// Switches a tool on or off.
#[tool]
pub(crate) fn switch(name: String, on: bool, components: Dep<Components>) -> bool {
    components.enable(&name, on)
}

// Who asks.

/// Returns who is known to ask, in full.
pub(crate) fn described(who: &Identity) -> String {
    let scopes: Vec<_> = ["read", "write"].into_iter().filter(|scope| who.has_scope(scope)).collect();
    format!("{:?}/{:?}/{:?}/{}", who.issuer(), who.subject(), who.tenant(), scopes.join("+"))
}

/// Tells its caller who that is.
#[tool(cache(ttl = "10s", stale = "10s", negative = "10s", stale_if_error = "60s"))]
pub(crate) async fn mine(id: String, who: Identity, lab: Dep<Lab>) -> Result<String, ToolError> {
    whose(&id, described(&who), &lab).await
}

/// Tells its caller which tenant that is of.
#[tool(cache(ttl = "10s", scope = "tenant", stale = "10s", negative = "10s", stale_if_error = "60s"))]
pub(crate) async fn ours(id: String, who: Identity, lab: Dep<Lab>) -> Result<String, ToolError> {
    let tenant = who.tenant().map(|tenant| format!("{:?}/{tenant}", who.issuer()));
    whose(&id, tenant.unwrap_or_else(|| described(&who)), &lab).await
}

async fn whose(id: &str, whose: String, lab: &Lab) -> Result<String, ToolError> {
    lab.run(id).await?;
    if id.starts_with("missing") { Err(ToolError::not_found(whose)) } else { Ok(whose) }
}

/// Tells its caller who that is.
#[resource(uri = "lab://mine/{id}", cacheable(ttl = "10s"))]
pub(crate) async fn mine_resource(id: String, who: Identity, lab: Dep<Lab>) -> Result<String, ToolError> {
    whose(&id, described(&who), &lab).await
}

/// Tells its caller which tenant that is of.
#[resource(uri = "lab://ours/{id}", cacheable(ttl = "10s", scope = "tenant"))]
pub(crate) async fn ours_resource(id: String, who: Identity, lab: Dep<Lab>) -> Result<String, ToolError> {
    let tenant = who.tenant().map(ToOwned::to_owned);
    whose(&id, tenant.unwrap_or_else(|| described(&who)), &lab).await
}

/// Grows old.
#[resource(uri = "lab://aging/{id}", cacheable(ttl = "10s", scope = "public", stale = "10s"))]
pub(crate) async fn aging(id: String, lab: Dep<Lab>) -> Result<String, ToolError> {
    lab.text(&format!("aging:{id}")).await
}

/// Is never kept.
#[resource(uri = "lab://fixed")]
pub(crate) fn fixed() -> &'static str {
    "fixed"
}

/// Has all that a list can show.
#[tool(
    title = "Decorated",
    icons("https://example.com/i.png"),
    meta = mcp_server::serde_json::json!({ "lab/cost": 3 }),
    cache(ttl = "100s")
)]
pub(crate) fn decorated() -> &'static str {
    "decorated"
}
