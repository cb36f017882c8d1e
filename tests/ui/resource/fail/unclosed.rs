use mcp_core::prelude::*;

#[resource(uri = "weather://{city")]
fn weather(city: String) -> String {
    city
}

fn main() {}
