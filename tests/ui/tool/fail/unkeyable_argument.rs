use mcp_core::prelude::*;

#[derive(serde_of_core::Deserialize, JsonSchema)]
#[serde(crate = "serde_of_core")]
#[schemars(crate = "schemars_of_core")]
struct Pair(i64, i64);

use mcp_core::__private::{schemars as schemars_of_core, serde as serde_of_core};

#[tool(cache)]
fn add(pair: Pair) -> i64 {
    pair.0 + pair.1
}

fn main() {}
