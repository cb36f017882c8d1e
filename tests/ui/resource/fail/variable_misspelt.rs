use mcp_core::prelude::*;

#[resource(uri = "weather://{ctiy}")]
fn weather(city: String, _who: Identity) -> String {
    city
}

fn main() {}
