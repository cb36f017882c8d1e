use mcp_core::prelude::*;

#[resource(uri = "weather://{city}")]
fn weather(city: String, day: u8) -> String {
    format!("{city} {day}")
}

fn main() {}
