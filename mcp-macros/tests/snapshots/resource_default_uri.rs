pub fn page(book: String, number: u32) -> String {
    book
}
/// The resource `page`; see [`page()`].
#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
pub struct page {}
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
        book: String,
        number: u32,
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
                ::core::result::Result::Ok(page(__arguments.book, __arguments.number))
            }
        }
    }
    static __DEF: ::mcp_core::__private::ResourceDef = ::mcp_core::__private::ResourceDef::new::<
        __Component,
    >(
        "page",
        "",
        "resource://page/{book}/{number}",
        ::core::option::Option::None,
        ::mcp_core::__private::place!(),
    );
    ::mcp_core::__private::register!(resource : & __DEF);
    impl page {
        /// Returns the definition that the attribute made.
        pub fn def() -> &'static ::mcp_core::__private::ResourceDef {
            &__DEF
        }
    }
};
