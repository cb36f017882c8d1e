use mcp_core::prelude::*;

fn towns(typed: String) -> Vec<String> {
    vec![typed]
}

#[resource(uri = "weather://{city}", complete(town = towns))]
fn weather(city: String) -> String {
    city
}

fn main() {}
