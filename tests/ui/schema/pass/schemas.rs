use mcp_core::prelude::*;

#[schema]
pub struct Search {
    /// Words to look for.
    query: String,
    #[serde(default)]
    #[schemars(range(min = 1))]
    limit: u32,
}

#[schema]
#[derive(Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Order {
    Cheapest,
    Newest,
}

#[schema]
#[derive(Debug, Clone, Default)]
struct Unit;

#[schema]
struct Page<T> {
    items: Vec<T>,
}

#[schema(crate = ::mcp_core)]
struct Pair(u8, String);

fn main() {
    let json = mcp_core::__private::serde_json::to_string(&Order::Newest.clone()).unwrap();
    assert_eq!(json, "\"newest\"");
    let search: Search = mcp_core::__private::serde_json::from_str("{\"query\":\"a\"}").unwrap();
    assert_eq!(format!("{:?}", search.clone()), "Search { query: \"a\", limit: 0 }");
    let _ = (Unit, Page { items: vec![1] }, Pair(1, String::new()), Order::Cheapest);
}
