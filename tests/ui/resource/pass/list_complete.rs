use mcp_core::prelude::*;

async fn all(db: Dep<Vec<String>>, other: Dep<u8>) -> Result<Vec<Listed>, ToolError> {
    let _ = other;
    Ok(db.iter().map(|name| Listed::new(format!("thing://{name}"), name)).collect())
}

fn names(typed: String) -> Vec<String> {
    vec![typed]
}

fn short(typed: &str) -> Vec<&'static str> {
    let _ = typed;
    vec!["a"]
}

async fn chosen(asked: Completing, db: Dep<Vec<String>>) -> Result<Vec<String>, ToolError> {
    let _ = asked;
    Ok(db.to_vec())
}

#[resource(uri = "thing://{name}/{part}{?page}", list = all, complete(name = chosen, part = names, page = short))]
fn thing(name: String, part: String, page: Option<String>) -> String {
    let _ = page;
    name + &part
}

#[resource(uri = "one://{name}", list = || vec![Listed::new("one://a", "a")])]
fn one(name: String) -> String {
    name
}

fn main() {
    assert_eq!(thing::def().complete.len(), 3);
}
