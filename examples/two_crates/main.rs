//! A server of the tools of another crate, which only has to be linked.

use two_crates_tools as _;

mcp_server::main!();
