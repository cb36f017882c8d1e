// Nothing that a user has in scope is captured.
#![allow(dead_code, non_camel_case_types)]

struct Option;
struct Some;
struct None;
struct Result;
struct Ok;
struct Err;
struct String;
struct Vec;
struct Box;
struct Reply;
struct ToolError;
struct Component;
struct Invocation;
struct Cache;
struct Tags;
trait Send {}
trait Sync {}
trait Future {}
trait From {}
trait Into {}
trait Iterator {}
trait Deserialize {}
trait JsonSchema {}
mod std {}
mod core {}
mod alloc {}
mod serde {}
mod serde_json {}
mod schemars {}
mod linkme {}
mod mcp_server {}
mod mcp_core {}
mod mcp_macros {}
macro_rules! format { () => { compile_error!("the user's") } }
macro_rules! vec { () => { compile_error!("the user's") } }

type Text = ::std::string::String;
type Fallible<T> = ::core::result::Result<T, ::mcp_core::ToolError>;

#[::mcp_core::tool(read_only, cache(tags("a:{id}", "b"), stale = "1s"), slow = "1s", icons("https://a/b.png"), meta = ::mcp_core::__private::serde_json::Value::Null)]
async fn tool(id: u64, name: ::core::option::Option<Text>, who: ::mcp_core::Identity, words: ::mcp_core::Dep<Text>) -> Fallible<Text> {
    let _ = (id, name, who);
    ::core::result::Result::Ok((*words).clone())
}

#[::mcp_core::resource(uri = "a://{id}{?q}", cacheable, invalidates(resource("a://{id}")))]
fn resource(id: u64, q: ::core::option::Option<Text>) -> Text {
    let _ = (id, q);
    Text::new()
}

#[::mcp_core::prompt(cache)]
fn prompt(name: Text) -> Text {
    name
}

#[::mcp_core::provider(preload)]
async fn provider(config: &::mcp_core::Config) -> Fallible<Text> {
    let _ = config;
    ::core::result::Result::Ok(Text::new())
}

fn main() {}
