use mcp_core::prelude::*;

#[schema]
struct Search {
    /// Words to look for.
    query: String,
    #[serde(default = "ten")]
    limit: u32,
}

fn ten() -> u32 {
    10
}

fn worth(search: &Search) -> bool {
    search.limit < 100
}

#[tool(cache(tags("query:{query}"), when = worth))]
async fn find(Args(search): Args<Search>, db: Dep<String>) -> String {
    search.query + &db
}

#[tool(cache(key(query), when = |search| search.limit > 1))]
fn some(Args(Search { query, limit: _ }): Args<Search>) -> String {
    query
}

#[tool(invalidates(resource("search://{query}")))]
fn drop_it(args: Args<Search>, _: Identity) -> String {
    args.0.query
}

async fn by_hand(cache: Dep<Cache>, search: Search) -> Result<(), ToolError> {
    find::invalidate(&cache, search.clone()).await;
    find::invalidate(&cache, Args(search.clone())).await;
    find::prime(&cache, search, String::new()).await
}

fn main() {
    let _ = by_hand;
    assert_eq!(find::def().name, "find");
}
