async fn find(Args(search): Args<Search>) -> String {
    search.query
}
/// The tool `find`; see [`find()`].
#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
struct find {}
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
    type __Arguments = Search;
    struct __Component;
    impl ::mcp_core::__private::Component for __Component {
        type Arguments = __Arguments;
        type Output = String;
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
                ::core::result::Result::Ok(find(::mcp_core::Args(__arguments)).await)
            }
        }
        fn key(
            __arguments: &Self::Arguments,
            __key: &mut ::mcp_core::__private::KeyWriter,
        ) {
            __key.field("query", &__arguments.query);
        }
        fn tags(
            __arguments: &Self::Arguments,
            __tags: &mut ::mcp_core::__private::Tags,
        ) {
            __tags.tag(&::mcp_core::__private::format!("q:{}", & __arguments.query));
        }
        fn when(__arguments: &Self::Arguments) -> ::core::primitive::bool {
            (worth)(__arguments)
        }
    }
    static __DEF: ::mcp_core::__private::ToolDef = ::mcp_core::__private::ToolDef::new::<
        __Component,
    >("find", "", ::mcp_core::__private::place!())
        .cache(::mcp_core::__private::CachePolicy::new());
    ::mcp_core::__private::register!(tool : & __DEF);
    impl find {
        /// Returns the definition that the attribute made.
        fn def() -> &'static ::mcp_core::__private::ToolDef {
            &__DEF
        }
        /// Makes the cached result for these arguments invalid.
        async fn invalidate(
            __cache: &::mcp_core::__private::Cache,
            __arguments: impl ::core::convert::Into<::mcp_core::Args<Search>>,
        ) {
            ::mcp_core::__private::invalidate::<
                __Component,
            >(
                    __cache,
                    Self::def(),
                    ::core::convert::Into::<::mcp_core::Args<Search>>::into(__arguments)
                        .0,
                )
                .await;
        }
        /// Makes all cached results invalid.
        async fn invalidate_all(__cache: &::mcp_core::__private::Cache) {
            ::mcp_core::__private::invalidate_all(__cache, Self::def()).await;
        }
        /// Stores a result as if it had been computed now: for everybody where the scope is public, for
        /// the anonymous caller elsewhere.
        ///
        /// # Errors
        ///
        /// Fails with the error that the result is.
        async fn prime(
            __cache: &::mcp_core::__private::Cache,
            __arguments: impl ::core::convert::Into<::mcp_core::Args<Search>>,
            __result: String,
        ) -> ::core::result::Result<(), ::mcp_core::__private::ToolError> {
            ::mcp_core::__private::prime_tool::<
                __Component,
            >(
                    __cache,
                    Self::def(),
                    ::core::convert::Into::<::mcp_core::Args<Search>>::into(__arguments)
                        .0,
                    __result,
                )
                .await
        }
    }
};
