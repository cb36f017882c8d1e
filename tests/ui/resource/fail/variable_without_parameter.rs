use mcp_core::prelude::*;

#[resource(uri = "weather://{city}/{day}")]
fn weather(city: String) -> String {
    city
}

fn main() {}
