#[derive(
    ::mcp_core::__private::serde::Serialize,
    ::mcp_core::__private::serde::Deserialize,
    ::mcp_core::__private::schemars::JsonSchema,
    ::core::fmt::Debug
)]
#[serde(crate = "::mcp_core::__private::serde")]
#[schemars(crate = "::mcp_core::__private::schemars")]
#[derive(Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Search {
    #[serde(default)]
    query: String,
}
