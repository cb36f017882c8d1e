/// Reviews a piece of code.
fn review(code: String, language: Option<String>) -> String {
    code
}
/// The prompt `review`; see [`review()`].
#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
struct review {}
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
        code: String,
        language: Option<String>,
    }
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
                ::core::result::Result::Ok(
                    review(__arguments.code, __arguments.language),
                )
            }
        }
        fn key(
            __arguments: &Self::Arguments,
            __key: &mut ::mcp_core::__private::KeyWriter,
        ) {
            __key.field("code", &__arguments.code);
            __key.field("language", &__arguments.language);
        }
    }
    static __DEF: ::mcp_core::__private::PromptDef = ::mcp_core::__private::PromptDef::new::<
        __Component,
    >("review", "Reviews a piece of code.", ::mcp_core::__private::place!())
        .complete(
            &[
                (
                    "language",
                    |__request, __cx| ::mcp_core::__private::completing(
                        __request,
                        __cx,
                        languages,
                    ),
                ),
            ],
        )
        .cache(::mcp_core::__private::CachePolicy::new().ttl_ms(3_600_000));
    ::mcp_core::__private::register!(prompt : & __DEF);
    impl review {
        /// Returns the definition that the attribute made.
        fn def() -> &'static ::mcp_core::__private::PromptDef {
            &__DEF
        }
        /// Makes the cached result for these arguments invalid.
        async fn invalidate(
            __cache: &::mcp_core::__private::Cache,
            code: String,
            language: Option<String>,
        ) {
            ::mcp_core::__private::invalidate::<
                __Component,
            >(__cache, Self::def(), __Arguments { code, language })
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
            code: String,
            language: Option<String>,
            __result: String,
        ) -> ::core::result::Result<(), ::mcp_core::__private::ToolError> {
            ::mcp_core::__private::prime_prompt::<
                __Component,
            >(__cache, Self::def(), __Arguments { code, language }, __result)
                .await
        }
    }
};
