/// Searches.
pub(crate) async fn search(
    query: String,
    limit: Option<u32>,
    db: Dep<Pool>,
    page: Pooled<Page>,
    who: Identity,
    ctx: Ctx,
) -> Result<Json<Vec<Product>>, ToolError> {
    todo!()
}
/// The tool `search`; see [`search()`].
#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
pub(crate) struct search {}
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
        /// Words to look for.
        query: String,
        #[serde(default)]
        limit: Option<u32>,
    }
    struct __Component;
    impl ::mcp_core::__private::Component for __Component {
        type Arguments = __Arguments;
        type Output = Result<Json<Vec<Product>>, ToolError>;
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
                let __p2 = __cx.dep::<Pool>().await?;
                let __p3 = __cx.pooled::<Page>().await?;
                let __p4 = __cx.identity();
                let __p5 = __cx.ctx();
                ::core::result::Result::Ok(
                    search(__arguments.query, __arguments.limit, __p2, __p3, __p4, __p5)
                        .await,
                )
            }
        }
    }
    static __DEF: ::mcp_core::__private::ToolDef = ::mcp_core::__private::ToolDef::new::<
        __Component,
    >("search", "Searches.", ::mcp_core::__private::place!())
        .hidden()
        .slow_ms(250)
        .timeout_ms(30_000)
        .concurrency(8)
        .unprofiled()
        .scopes(&["read"])
        .uses_ctx()
        .uses_identity()
        .needs(
            &[
                ::mcp_core::__private::Need::dep::<Pool>(),
                ::mcp_core::__private::Need::pooled::<Page>(),
            ],
        );
    ::mcp_core::__private::register!(tool : & __DEF);
    impl search {
        /// Returns the definition that the attribute made.
        pub(crate) fn def() -> &'static ::mcp_core::__private::ToolDef {
            &__DEF
        }
    }
};
