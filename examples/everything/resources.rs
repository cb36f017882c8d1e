//! Resources: text, bytes, a template, and one that clients subscribe to.

use std::sync::atomic::{AtomicU64, Ordering};

use mcp_server::prelude::*;

use crate::tools::PIXEL;

/// A text.
#[resource(uri = "test://static-text", mime = "text/plain")]
fn static_text() -> &'static str {
    "This is the content of the static text resource."
}

/// A picture.
#[resource(uri = "test://static-binary", mime = "image/png")]
fn static_binary() -> &'static [u8] {
    PIXEL
}

#[schema]
#[serde(rename_all = "camelCase")]
struct Data {
    id: String,
    template_test: bool,
    data: String,
}

/// The data of one id.
#[resource(uri = "test://template/{id}/data", mime = "application/json", complete(id = ids))]
fn template_data(id: String) -> Json<Data> {
    let data = format!("Data for ID: {id}");
    Json(Data { id, template_test: true, data })
}

fn ids(typed: &str) -> Vec<String> {
    let ids = ["123", "456"].into_iter().filter(|id| id.starts_with(typed));
    ids.map(str::to_owned).collect()
}

static TURNS: AtomicU64 = AtomicU64::new(0);

/// How often `turn_watched_resource` was called: cached until then.
#[resource(uri = "test://watched-resource", mime = "text/plain", cacheable(scope = "public"))]
fn watched_resource() -> String {
    TURNS.load(Ordering::Relaxed).to_string()
}

/// Changes the watched resource, of which its subscribers are told.
#[tool(invalidates(resource("test://watched-resource")))]
fn turn_watched_resource() {
    TURNS.fetch_add(1, Ordering::Relaxed);
}
