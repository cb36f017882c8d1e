//! Streamable HTTP: hyper in front, then the direct lane, and rmcp behind it.

mod serve;
mod watch;

mod refused;
mod service;

pub(crate) mod body;
mod coding;
mod compress;
mod gate;
mod origins;
mod sessions;

pub use body::ResponseBody;
pub(crate) use coding::liked;
pub(crate) use compress::{Encoding, whole};
pub(crate) use origins::is_addressed_to;
#[cfg(feature = "cli")]
pub(crate) use serve::is_loopback;
pub(crate) use serve::serve_admin;
pub use service::HttpService;
pub(crate) use service::text;
pub(crate) use sessions::Sessions;
