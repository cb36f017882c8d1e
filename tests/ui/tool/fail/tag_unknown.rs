use mcp_core::prelude::*;

#[tool(cache(tags("user:{user_id}")))]
fn find(userid: u64) -> u64 {
    userid
}

fn main() {}
