fn report(r#type: String) -> String {
    r#type
}
/// The tool `report`; see [`report()`].
#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
struct report {}
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
        r#type: String,
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
                    __cx.blocking(move || report(__arguments.r#type)).await?,
                )
            }
        }
    }
    static __DEF: ::mcp_core::__private::ToolDef = ::mcp_core::__private::ToolDef::new::<
        __Component,
    >("report", "", ::mcp_core::__private::place!())
        .background(
            ::mcp_core::__private::Background::new()
                .threshold_ms(5_000)
                .input_bytes(10_000)
                .priority("high")
                .retries(3),
        )
        .blocking();
    ::mcp_core::__private::register!(tool : & __DEF);
    impl report {
        /// Returns the definition that the attribute made.
        fn def() -> &'static ::mcp_core::__private::ToolDef {
            &__DEF
        }
    }
};
