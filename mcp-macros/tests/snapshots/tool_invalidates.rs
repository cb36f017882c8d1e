async fn set_price(id: u64, user: String, price: f64) -> Result<(), ToolError> {
    Ok(())
}
/// The tool `set_price`; see [`set_price()`].
#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
struct set_price {}
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
        user: String,
        price: f64,
    }
    struct __Component;
    impl ::mcp_core::__private::Component for __Component {
        type Arguments = __Arguments;
        type Output = Result<(), ToolError>;
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
                    set_price(__arguments.id, __arguments.user, __arguments.price).await,
                )
            }
        }
        fn invalidates(
            __arguments: &Self::Arguments,
            __tags: &mut ::mcp_core::__private::Tags,
        ) {
            __tags.tag("products");
            __tags.tag(&::mcp_core::__private::format!("user:{}", & __arguments.user));
            __tags
                .resource(
                    &::mcp_core::__private::format!(
                        "product://{}/{}", ::mcp_core::__private::uri_part(& __arguments
                        .id), ::mcp_core::__private::uri_reserved_part(& __arguments
                        .user)
                    ),
                );
            let __other: &'static ::mcp_core::__private::ToolDef = catalogue::search::def();
            __tags.component(__other);
            let __other: &'static ::mcp_core::__private::PromptDef = review::def();
            __tags.component(__other);
        }
    }
    static __DEF: ::mcp_core::__private::ToolDef = ::mcp_core::__private::ToolDef::new::<
        __Component,
    >("set_price", "", ::mcp_core::__private::place!())
        .destructive(true)
        .idempotent(true)
        .open_world(false);
    ::mcp_core::__private::register!(tool : & __DEF);
    impl set_price {
        /// Returns the definition that the attribute made.
        fn def() -> &'static ::mcp_core::__private::ToolDef {
            &__DEF
        }
    }
};
