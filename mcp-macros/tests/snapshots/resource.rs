/// One product.
async fn product(
    id: u64,
    lang: Option<String>,
    db: Dep<Pool>,
) -> Result<Json<Product>, ToolError> {
    todo!()
}
/// The resource `product`; see [`product()`].
#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
struct product {}
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
    #[derive(::mcp_core::__private::serde::Deserialize)]
    #[serde(crate = "::mcp_core::__private::serde", deny_unknown_fields)]
    struct __Arguments {
        id: u64,
        lang: Option<String>,
    }
    struct __Component;
    impl ::mcp_core::__private::Component for __Component {
        type Arguments = __Arguments;
        type Output = Result<Json<Product>, ToolError>;
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
                ::core::result::Result::Ok(
                    product(__arguments.id, __arguments.lang, __p2).await,
                )
            }
        }
        fn key(
            __arguments: &Self::Arguments,
            __key: &mut ::mcp_core::__private::KeyWriter,
        ) {
            __key.field("id", &__arguments.id);
            __key.field("lang", &__arguments.lang);
        }
    }
    static __DEF: ::mcp_core::__private::ResourceDef = ::mcp_core::__private::ResourceDef::new::<
        __Component,
    >(
            "product",
            "One product.",
            "product://{id}{?lang}",
            ::core::option::Option::Some("application/json"),
            ::mcp_core::__private::place!(),
        )
        .list(|__cx| ::mcp_core::__private::listing(__cx, all))
        .complete(
            &[
                (
                    "id",
                    |__request, __cx| ::mcp_core::__private::completing(
                        __request,
                        __cx,
                        ids,
                    ),
                ),
            ],
        )
        .cache(::mcp_core::__private::CachePolicy::new())
        .needs(&[::mcp_core::__private::Need::dep::<Pool>()]);
    ::mcp_core::__private::register!(resource : & __DEF);
    impl product {
        /// Returns the definition that the attribute made.
        fn def() -> &'static ::mcp_core::__private::ResourceDef {
            &__DEF
        }
        /// Makes the cached result for these arguments invalid.
        async fn invalidate(
            __cache: &::mcp_core::__private::Cache,
            id: u64,
            lang: Option<String>,
        ) {
            ::mcp_core::__private::invalidate::<
                __Component,
            >(__cache, Self::def(), __Arguments { id, lang })
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
            id: u64,
            lang: Option<String>,
            __result: Result<Json<Product>, ToolError>,
        ) -> ::core::result::Result<(), ::mcp_core::__private::ToolError> {
            ::mcp_core::__private::prime_resource::<
                __Component,
            >(__cache, Self::def(), __Arguments { id, lang }, __result)
                .await
        }
    }
};
