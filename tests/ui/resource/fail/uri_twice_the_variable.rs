use mcp_core::prelude::*;

#[resource(uri = "weather://{city}/{city}")]
fn weather(city: String) -> String {
    city
}

fn main() {}
