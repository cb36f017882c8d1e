use mcp_core::prelude::*;

fn all(count: u32) -> Vec<Listed> {
    let _ = count;
    Vec::new()
}

#[resource(uri = "weather://{city}", list = all)]
fn weather(city: String) -> String {
    city
}

fn main() {}
