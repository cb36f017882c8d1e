use mcp_core::prelude::*;

fn big(id: &u64, _: &String) -> bool {
    *id > 100
}

fn none(found: &[Content]) -> bool {
    found.is_empty()
}

#[tool(read_only, cache)]
fn bare(id: u64) -> u64 {
    id
}

#[tool(cache = "5m")]
fn short(id: u64, tags: Vec<String>, near: std::collections::HashMap<String, f64>) -> u64 {
    let _ = (tags, near);
    id
}

#[tool(cache(
    ttl = "300s",
    scope = "public",
    tags("all", "id:{id}", "{{braces}}"),
    stale = "60s",
    stale_if_error = "1h",
    refresh_ahead = 0.8,
    negative = "30s",
    key(id),
    when = big,
    unless = none,
    levels = "memory",
    max_bytes = "2MiB",
    version = 2,
))]
async fn full(id: u64, note: String) -> Result<Vec<Content>, ToolError> {
    let _ = note;
    Err(ToolError::not_found(id))
}

#[tool(cache(scope = "tenant", refresh_ahead = "auto", skip(ctx, note), when = |id, note| *id > 0 && note.len() < 9, unless = |sum| *sum > 9))]
async fn closures(id: u64, note: String, ctx: Ctx) -> u64 {
    let _ = (note, ctx);
    id
}

#[tool(destructive, invalidates(tag("all"), tag("id:{id}"), resource("thing://{id}/{name}"), tool(full), tool(crate::bare), prompt(greet)))]
async fn change(id: u64, name: String) {
    let _ = (id, name);
}

#[prompt]
fn greet(name: String) -> String {
    name
}

async fn by_hand(cache: Dep<Cache>) -> Result<(), ToolError> {
    full::invalidate(&cache, 7, String::new()).await;
    full::invalidate_all(&cache).await;
    full::prime(&cache, 7, String::new(), Ok(Vec::new())).await
}

fn main() {
    let _ = by_hand;
    assert_eq!(short::def().cache.unwrap().ttl, Some(std::time::Duration::from_secs(300)));
    let policy = full::def().cache.unwrap();
    assert_eq!((policy.max_bytes, policy.version, policy.scope), (2 << 20, 2, mcp_core::Scope::Public));
    assert!(bare::def().cache.unwrap().ttl.is_none());
}
