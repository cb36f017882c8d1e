use mcp_core::prelude::*;

#[tool(concurrency = 8, scopes("read", "write"), slow = "250ms", timeout = "30s", hidden, profile = false)]
async fn search(
    /// Words to look for.
    words: String,
    #[serde(default)] limit: u32,
    #[schemars(range(min = 1))] page: Option<u32>,
    db: Dep<Vec<String>>,
    line: Pooled<String>,
    who: Identity,
    ctx: Ctx,
    _: Dep<u8>,
) -> Result<Vec<Content>, ToolError> {
    let _ = (limit, page, line, ctx);
    ctx_free(&who)?;
    Ok(db.iter().filter(|row| row.contains(&words)).map(Content::text).collect())
}

fn ctx_free(who: &Identity) -> Result<(), std::num::ParseIntError> {
    who.subject().unwrap_or("1").parse::<u8>().map(|_| ())
}

#[tool(blocking, background(threshold = "5s", input = "10KB", priority = "high", retries = 3))]
fn hash(text: String, salt: Dep<String>) -> String {
    text + &salt
}

fn main() {
    let def = search::def();
    assert!(def.uses_ctx && def.uses_identity && def.hidden && !def.profile);
    assert_eq!(def.needs.len(), 3);
    assert_eq!(def.scopes, ["read", "write"]);
    assert_eq!(def.slow, Some(std::time::Duration::from_millis(250)));
    assert!(hash::def().blocking);
}
