//! Streamable HTTP: hyper in front, then the direct lane, and rmcp behind it.

mod serve;
mod watch;

mod refused;
mod service;

mod body;
mod coding;
mod compress;
mod gate;
mod origins;
mod sessions;

pub use body::ResponseBody;
pub(crate) use serve::is_loopback;
pub use service::HttpService;
pub(crate) use sessions::Sessions;
