use mcp_core::prelude::*;

#[schema]
struct Product {
    id: u64,
}

#[tool]
fn nothing() {}

#[tool]
fn unit() -> () {}

#[tool]
fn text() -> &'static str {
    "text"
}

#[tool]
fn json() -> Json<Vec<Product>> {
    Json(Vec::new())
}

#[tool]
fn blocks() -> Vec<Content> {
    Vec::new()
}

#[tool]
fn other_error() -> Result<u8, std::num::ParseIntError> {
    "7".parse()
}

#[tool]
async fn full() -> Result<ToolOutput, ToolError> {
    Ok(ToolOutput::new([Content::text("x")]))
}

fn main() {
    assert!(json::def().output.is_some_and(|schema| schema().is_some()));
    assert!(text::def().output.is_some_and(|schema| schema().is_none()));
}
