use mcp_core::prelude::*;

struct Pool(String);

#[provider]
async fn database(config: &Config) -> Result<Pool, ToolError> {
    let _ = config;
    Ok(Pool(String::new()))
}

#[provider(preload)]
fn greeting(pool: Dep<Pool>, config: Dep<Config>, cache: Dep<Cache>) -> String {
    let _ = (config, cache);
    pool.0.clone()
}

#[provider(pool = 4)]
fn number() -> std::result::Result<u8, std::num::ParseIntError> {
    "7".parse()
}

#[provider]
fn r#type(_: &mcp_core::Config) -> Option<u32> {
    None
}

fn main() {
    assert!(greeting::def().preload);
    assert_eq!(number::def().pool, Some(4));
    assert_eq!((database::def().name, r#type::def().name), ("database", "type"));
    assert_eq!(greeting::def().needs.len(), 3);
}
