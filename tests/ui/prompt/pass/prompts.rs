use mcp_core::prelude::*;

fn languages(typed: &str) -> Vec<String> {
    vec![typed.to_owned()]
}

#[schema]
struct Asked {
    topic: String,
}

/// Reviews a piece of code.
#[prompt(title = "Review", complete(language = languages))]
fn review(
    /// The code.
    code: String,
    language: Option<String>,
) -> String {
    let _ = language;
    code
}

#[prompt(cache(ttl = "1h", scope = "public"), scopes("read"))]
async fn teach(Args(asked): Args<Asked>, db: Dep<String>) -> Result<Vec<Message>, ToolError> {
    Ok(vec![Message::user(Content::text(asked.topic + &db))])
}

fn main() {
    assert_eq!(review::def().complete[0].0, "language");
    assert_eq!(review::def().title, Some("Review"));
    assert!(teach::def().cache.is_some());
}
