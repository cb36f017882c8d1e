//! Expansions, as readable Rust, against the accepted ones in `tests/snapshots`.
//!
//! `BLESS=1 cargo test -p mcp-macros` accepts what is written now; read the diff.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;

use crate::keys::Attribute;

fn check(name: &str, expansion: &TokenStream) {
    let file = syn::parse2(expansion.clone()).unwrap_or_else(|error| panic!("{name}: {error}\n{expansion}"));
    let text = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(format!("{name}.rs"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let accepted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(accepted == text, "{name} has changed; `BLESS=1` accepts it:\n{text}");
}

fn component(attribute: Attribute, args: TokenStream, item: TokenStream) -> TokenStream {
    crate::component(attribute, args, item, || syn::parse_str("::mcp_core").ok())
}

/// Lists expansions: `test: Attribute, (options), { item };`.
macro_rules! snapshots {
    ($($name:ident: $attribute:ident, ($($args:tt)*), { $($item:tt)* };)+) => {
        $(#[test]
        fn $name() {
            check(stringify!($name), &component(Attribute::$attribute, quote!($($args)*), quote!($($item)*)));
        })+
    };
}

snapshots! {
    tool: Tool, (read_only), {
        /// Adds two numbers.
        fn add(a: i64, b: i64) -> i64 { a + b }
    };
    tool_injected: Tool, (slow = "250ms", timeout = "30s", concurrency = 8, scopes("read"), hidden, profile = false), {
        /// Searches.
        pub(crate) async fn search(
            /// Words to look for.
            query: String,
            #[serde(default)] limit: Option<u32>,
            db: Dep<Pool>,
            page: Pooled<Page>,
            who: Identity,
            ctx: Ctx,
        ) -> Result<Json<Vec<Product>>, ToolError> { todo!() }
    };
    tool_cached: Tool, (cache(
        ttl = "300s", scope = "public", tags("products", "user:{id}"), stale = "60s", stale_if_error = "1h",
        refresh_ahead = 0.8, negative = "30s", skip(verbose), when = |id, _| *id > 0, unless = Vec::is_empty,
        levels = "memory", max_bytes = "2MiB", version = 3,
    )), {
        pub async fn orders(id: u64, verbose: bool) -> Vec<String> { vec![] }
    };
    tool_whole: Tool, (cache(key(query), when = worth, tags("q:{query}"))), {
        async fn find(Args(search): Args<Search>) -> String { search.query }
    };
    tool_invalidates: Tool, (destructive, idempotent, open_world = false, invalidates(
        tag("products"), tag("user:{user}"), resource("product://{id}/{+user}"), tool(catalogue::search), prompt(review),
    )), {
        async fn set_price(id: u64, user: String, price: f64) -> Result<(), ToolError> { Ok(()) }
    };
    tool_blocking: Tool, (blocking, background(threshold = "5s", input = "10KB", priority = "high", retries = 3)), {
        fn report(r#type: String) -> String { r#type }
    };
    tool_described: Tool, (
        name = "look-up", title = TITLE, description = concat!("a", "b"), crate = ::server::core,
        icons("https://a/x.png", Icon::new("https://a/y.svg").mime("image/svg+xml")), meta = json!({ "a": 1 }),
    ), {
        #[cfg(feature = "look")]
        #[deprecated]
        pub fn look() {}
    };
    resource: Resource, (uri = "product://{id}{?lang}", mime = "application/json", cacheable, list = all, complete(id = ids)), {
        /// One product.
        async fn product(id: u64, lang: Option<String>, db: Dep<Pool>) -> Result<Json<Product>, ToolError> { todo!() }
    };
    resource_default_uri: Resource, (), {
        pub fn page(book: String, number: u32) -> String { book }
    };
    prompt: Prompt, (cache = "1h", complete(language = languages)), {
        /// Reviews a piece of code.
        fn review(code: String, language: Option<String>) -> String { code }
    };
}

fn provider(args: TokenStream, item: TokenStream) -> TokenStream {
    crate::shared(args, item, || syn::parse_str("::mcp_core").ok())
}

#[test]
fn provider_of_a_pool() {
    let item = quote! {
        /// The database.
        async fn database(config: &Config, key: Dep<Key>) -> Result<SqlitePool, ToolError> { todo!() }
    };
    check("provider", &provider(quote!(preload, pool = 4), item));
}

#[test]
fn schema() {
    let item = quote! {
        #[derive(Clone, PartialEq)]
        #[serde(rename_all = "camelCase")]
        pub struct Search { #[serde(default)] query: String }
    };
    check("schema", &crate::derives(quote!(), &item, || syn::parse_str("::mcp_core").ok()));
}

#[test]
fn nothing_names_a_crate_that_was_not_given() {
    let item = quote!(
        async fn product(id: u64, db: Dep<Pool>, ctx: Ctx) -> String {
            todo!()
        }
    );
    for attribute in [Attribute::Tool, Attribute::Resource, Attribute::Prompt] {
        let key = if attribute == Attribute::Resource { quote!(cacheable) } else { quote!(cache) };
        let text =
            component(attribute, quote!(crate = ::elsewhere, #key(skip(ctx), tags("{id}"))), item.clone())
                .to_string();
        assert!(text.contains(":: elsewhere :: __private"), "{text}");
        assert!(!text.contains("mcp_"), "{text}");
    }
}

#[test]
fn the_function_survives_its_mistakes() {
    let text = component(
        Attribute::Tool,
        quote!(cach, slow = "3"),
        quote!(fn f(#[serde(default)] a: &str) { let half = }),
    )
    .to_string();
    assert!(text.starts_with("fn f (a : & str) { let half = }"), "{text}");
    assert_eq!(text.matches("compile_error").count(), 3, "{text}");
    let text = component(Attribute::Tool, quote!(), quote!(struct Half { a: })).to_string();
    assert!(text.starts_with("struct Half { a : }"), "{text}");
    assert_eq!(text.matches("compile_error").count(), 1, "{text}");
}
