use mcp_core::prelude::*;

type Result = std::result::Result<String, ToolError>;

#[provider]
fn words() -> Result {
    Ok(String::new())
}

fn main() {}
