pub async fn orders(id: u64, verbose: bool) -> Vec<String> {
    vec![]
}
/// The tool `orders`; see [`orders()`].
#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
pub struct orders {}
#[allow(
    deprecated,
    unused,
    private_interfaces,
    private_bounds,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic
)]
const _: () = {
    #[derive(
        ::mcp_core::__private::serde::Deserialize,
        ::mcp_core::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::mcp_core::__private::serde", deny_unknown_fields)]
    #[schemars(crate = "::mcp_core::__private::schemars")]
    struct __Arguments {
        id: u64,
        verbose: bool,
    }
    struct __Component;
    impl ::mcp_core::__private::Component for __Component {
        type Arguments = __Arguments;
        type Output = Vec<String>;
        fn call(
            __arguments: Self::Arguments,
            __cx: ::mcp_core::__private::Invocation,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<
                Self::Output,
                ::mcp_core::__private::ToolError,
            >,
        > + ::core::marker::Send + 'static {
            async move {
                ::core::result::Result::Ok(
                    orders(__arguments.id, __arguments.verbose).await,
                )
            }
        }
        fn key(
            __arguments: &Self::Arguments,
            __key: &mut ::mcp_core::__private::KeyWriter,
        ) {
            __key.field("id", &__arguments.id);
        }
        fn tags(
            __arguments: &Self::Arguments,
            __tags: &mut ::mcp_core::__private::Tags,
        ) {
            __tags.tag("products");
            __tags.tag(&::mcp_core::__private::format!("user:{}", & __arguments.id));
        }
        fn when(__arguments: &Self::Arguments) -> ::core::primitive::bool {
            let __when: fn(&u64, &bool) -> ::core::primitive::bool = |id, _| *id > 0;
            __when(&__arguments.id, &__arguments.verbose)
        }
        fn unless(__output: &Self::Output) -> ::core::primitive::bool {
            ::mcp_core::__private::tool_success(__output)
                .is_some_and(|__result| (Vec::is_empty)(__result))
        }
    }
    static __DEF: ::mcp_core::__private::ToolDef = ::mcp_core::__private::ToolDef::new::<
        __Component,
    >("orders", "", ::mcp_core::__private::place!())
        .cache(
            ::mcp_core::__private::CachePolicy::new()
                .ttl_ms(300_000)
                .stale_ms(60_000)
                .stale_if_error_ms(3_600_000)
                .negative_ms(30_000)
                .max_bytes(2_097_152)
                .version(3)
                .scope(::mcp_core::__private::Scope::Public)
                .levels(::mcp_core::__private::Levels::Memory)
                .refresh_ahead(::mcp_core::__private::RefreshAhead::At(0.8)),
        );
    ::mcp_core::__private::register!(tool : & __DEF);
    impl orders {
        /// Returns the definition that the attribute made.
        pub fn def() -> &'static ::mcp_core::__private::ToolDef {
            &__DEF
        }
        /// Makes the cached result for these arguments invalid.
        pub async fn invalidate(
            __cache: &::mcp_core::__private::Cache,
            id: u64,
            verbose: bool,
        ) {
            ::mcp_core::__private::invalidate::<
                __Component,
            >(__cache, Self::def(), __Arguments { id, verbose })
                .await;
        }
        /// Makes all cached results invalid.
        pub async fn invalidate_all(__cache: &::mcp_core::__private::Cache) {
            ::mcp_core::__private::invalidate_all(__cache, Self::def()).await;
        }
        /// Stores a result as if it had been computed now: for everybody where the scope is public, for
        /// the anonymous caller elsewhere.
        ///
        /// # Errors
        ///
        /// Fails with the error that the result is.
        pub async fn prime(
            __cache: &::mcp_core::__private::Cache,
            id: u64,
            verbose: bool,
            __result: Vec<String>,
        ) -> ::core::result::Result<(), ::mcp_core::__private::ToolError> {
            ::mcp_core::__private::prime_tool::<
                __Component,
            >(__cache, Self::def(), __Arguments { id, verbose }, __result)
                .await
        }
    }
};
