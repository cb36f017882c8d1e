#[cfg(feature = "look")]
#[deprecated]
pub fn look() {}
#[cfg(feature = "look")]
/// The tool `look`; see [`look()`].
#[allow(
    non_camel_case_types,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
pub struct look {}
#[cfg(feature = "look")]
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
        ::server::core::__private::serde::Deserialize,
        ::server::core::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::server::core::__private::serde", deny_unknown_fields)]
    #[schemars(crate = "::server::core::__private::schemars")]
    struct __Arguments {}
    struct __Component;
    impl ::server::core::__private::Component for __Component {
        type Arguments = __Arguments;
        type Output = ();
        fn call(
            __arguments: Self::Arguments,
            __cx: ::server::core::__private::Invocation,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<
                Self::Output,
                ::server::core::__private::ToolError,
            >,
        > + ::core::marker::Send + 'static {
            async move { ::core::result::Result::Ok(look()) }
        }
    }
    static __DEF: ::server::core::__private::ToolDef = ::server::core::__private::ToolDef::new::<
        __Component,
    >("look-up", concat!("a", "b"), ::server::core::__private::place!())
        .title(TITLE)
        .icons(|| ::std::vec::Vec::from([
            <::server::core::__private::Icon as ::core::convert::From<
                _,
            >>::from("https://a/x.png"),
            <::server::core::__private::Icon as ::core::convert::From<
                _,
            >>::from(Icon::new("https://a/y.svg").mime("image/svg+xml")),
        ]))
        .meta(|| json!({ "a" : 1 }));
    ::server::core::__private::register!(tool : & __DEF);
    impl look {
        /// Returns the definition that the attribute made.
        pub fn def() -> &'static ::server::core::__private::ToolDef {
            &__DEF
        }
    }
};
