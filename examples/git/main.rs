mcp_server::main!();
