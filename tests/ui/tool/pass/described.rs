use mcp_core::__private::serde_json::json;
use mcp_core::prelude::*;

const TITLE: &str = "Look up";

fn pictures() -> Vec<Icon> {
    vec![Icon::new("https://a/x.png")]
}

/// Is not the description.
#[tool(
    title = TITLE,
    description = concat!("Looks ", "up."),
    icons("https://a/x.png", Icon::new("https://a/y.svg").mime("image/svg+xml")),
    meta = json!({ "com.example/order": 1 }),
)]
fn look_up() {}

#[tool(description = "", icons = "https://a/x.png")]
fn silent() {}

#[tool(icons = pictures())]
fn pictured() {}

#[tool(icons = ["https://a/x.png"])]
fn listed() {}

fn main() {
    let def = look_up::def();
    assert_eq!((def.title, def.description), (Some("Look up"), "Looks up."));
    assert_eq!(def.icons.unwrap()().len(), 2);
    assert_eq!(def.meta.unwrap()()["com.example/order"], 1);
    for def in [silent::def(), pictured::def(), listed::def()] {
        assert_eq!(def.icons.unwrap()(), pictures());
    }
}
