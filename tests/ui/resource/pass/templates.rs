use mcp_core::prelude::*;

#[schema]
struct Place {
    city: String,
    day: Option<u8>,
}

#[resource]
fn plain() -> &'static str {
    "text"
}

#[resource]
fn default_uri(book: String, r#type: u32) -> String {
    format!("{book} {type}")
}

#[resource(uri = "file:///{+path}{?q,n}{#f}")]
fn file(path: String, q: Option<String>, n: Option<u32>, f: Option<String>) -> Vec<u8> {
    let _ = (q, n, f);
    path.into_bytes()
}

#[resource(uri = "weather://{city}{?day}", mime = "application/json", cacheable(ttl = "1h", scope = "public", tags("{city}")))]
async fn weather(Args(place): Args<Place>) -> Result<Json<Place>, ToolError> {
    Ok(Json(place))
}

#[resource(uri = "a:{renamed}", cache = "5m")]
fn renamed(#[serde(rename = "renamed")] name: String) -> Contents {
    Contents::new(name)
}

fn uri(def: &mcp_core::ResourceDef) -> &'static str {
    match def.kind {
        mcp_core::component::Kind::Resource(part) => part.uri,
        _ => "",
    }
}

fn main() {
    assert_eq!(uri(plain::def()), "resource://plain");
    assert_eq!(uri(default_uri::def()), "resource://default_uri/{book}/{type}");
    assert_eq!(uri(file::def()), "file:///{+path}{?q,n}{#f}");
    assert!(renamed::def().cache.is_some() && weather::def().cache.is_some());
}
