//! stdio: the client starts the server and talks over its pipes, which the direct lane and rmcp share.

mod serve;

mod lane;
mod pipes;
