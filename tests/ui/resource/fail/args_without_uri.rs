use mcp_core::prelude::*;

#[schema]
struct Place {
    city: String,
}

#[resource]
fn weather(Args(place): Args<Place>) -> String {
    place.city
}

fn main() {}
