// Parameters may be called anything.
use mcp_core::prelude::*;

#[tool(cache(tags("{type}:{key}")))]
async fn every(
    key: String,
    args: String,
    arguments: String,
    cache: String,
    cx: String,
    self_: String,
    result: String,
    tags: String,
    every: String,
    r#type: String,
    #[serde(rename = "Other")] other: String,
) -> String {
    key + &args + &arguments + &cache + &cx + &self_ + &result + &tags + &every + &r#type + &other
}

#[tool]
async fn injected(cx: Ctx, arguments: Identity, key: Dep<String>) -> String {
    let _ = (cx, arguments);
    key.to_string()
}

#[tool(cache(key(r#type)))]
fn r#match(r#type: u8, b: u8) -> u8 {
    r#type + b
}

#[tool]
fn call(call: u8) -> u8 {
    call
}

#[tool]
fn def(def: u8) -> u8 {
    def
}

fn main() {
    assert_eq!(r#match(1, 2), 3);
    assert_eq!(r#match::def().name, "match");
    let schema = every::def().arguments.unwrap();
    let text = schema(mcp_core::component::Contract::Deserialize).to_value().to_string();
    assert!(text.contains("\"type\"") && text.contains("\"Other\""), "{text}");
}
