//! The client: a closed loop over HTTP or stdio, the same for all servers.

mod answer;
pub(crate) mod http;
pub(crate) mod stdio;
mod times;

pub(crate) use times::Times;

/// How long a server may be silent while it owes answers.
const PATIENCE_MS: u16 = 10_000;
