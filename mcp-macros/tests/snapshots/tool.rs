/// Adds two numbers.
fn add(a: i64, b: i64) -> i64 {
    a + b
}
/// The tool `add`; see [`add()`].
#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
struct add {}
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
        a: i64,
        b: i64,
    }
    struct __Component;
    impl ::mcp_core::__private::Component for __Component {
        type Arguments = __Arguments;
        type Output = i64;
        fn call(
            __arguments: Self::Arguments,
            __cx: ::mcp_core::__private::Invocation,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<
                Self::Output,
                ::mcp_core::__private::ToolError,
            >,
        > + ::core::marker::Send + 'static {
            async move { ::core::result::Result::Ok(add(__arguments.a, __arguments.b)) }
        }
    }
    static __DEF: ::mcp_core::__private::ToolDef = ::mcp_core::__private::ToolDef::new::<
        __Component,
    >("add", "Adds two numbers.", ::mcp_core::__private::place!())
        .read_only(true);
    ::mcp_core::__private::register!(tool : & __DEF);
    impl add {
        /// Returns the definition that the attribute made.
        fn def() -> &'static ::mcp_core::__private::ToolDef {
            &__DEF
        }
    }
};
