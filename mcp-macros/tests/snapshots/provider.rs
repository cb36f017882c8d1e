/// The database.
async fn database(config: &Config, key: Dep<Key>) -> Result<SqlitePool, ToolError> {
    todo!()
}
/// The provider `database`; see [`database()`].
#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
struct database {}
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
    struct __Provider;
    impl ::mcp_core::__private::Provide for __Provider {
        type Value = SqlitePool;
        fn provide(
            __cx: ::mcp_core::__private::Building,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<
                Self::Value,
                ::mcp_core::__private::ToolError,
            >,
        > + ::core::marker::Send + 'static {
            async move {
                let __p0 = __cx.config();
                let __p1 = __cx.dep::<Key>().await?;
                ::core::result::Result::Ok(database(&__p0, __p1).await?)
            }
        }
    }
    static __DEF: ::mcp_core::__private::ProviderDef = ::mcp_core::__private::ProviderDef::new::<
        __Provider,
    >("database", ::mcp_core::__private::place!())
        .preload()
        .pool(4)
        .needs(&[::mcp_core::__private::Need::dep::<Key>()]);
    ::mcp_core::__private::register!(provider : & __DEF);
    impl database {
        /// Returns the definition that the attribute made.
        fn def() -> &'static ::mcp_core::__private::ProviderDef {
            &__DEF
        }
    }
};
